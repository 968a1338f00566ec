//! A hub's life: its settings, its machines, what the disk has, the loop, and a good end.

use std::os::fd::AsFd as _;
use std::sync::Arc;

use remuda_model::hub::{HubSettings, HubSocket, to_hex};
use remuda_store::Store;
use remuda_sys::event::{Interest, Poller};
use remuda_sys::socket::Link;
use remuda_toolkit::logging::Logger;
use remuda_toolkit::watchdog::Pulse;
use remuda_toolkit::{Daemon, DaemonError, Notifier, Quit, Wake, Watchdog};

use crate::core::Core;
use crate::durability::Durability;
use crate::endpoint::Endpoint;
use crate::engine::Engines;
use crate::error::HubError;
use crate::handover::{self, Giving, Keeping, Taken};
use crate::herd::Herd;
use crate::herd::keys::Saved;
use crate::hub::{End, Hub, QUIT, moment};
use crate::journal::Journal;
use crate::limits;
use crate::script::Scripts;
use crate::zeromq::mechanisms::Mechanisms;

/// How long the end waits for the disk.
const CLOSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// How long one wait for the end takes at most.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(3600);
/// How long a turn may take beside a script, before it counts as one that does not end: a large command, or handing over
/// what is on no disk.
const TURN_MAX: std::time::Duration = std::time::Duration::from_secs(10);
/// The folder of the journal in the state folder.
pub(crate) const JOURNAL_FOLDER: &str = "store";

/// Runs the hub until it is told to end by a signal, or another hub has taken everything over.
///
/// # Errors
/// Why it ended otherwise; what is on disk stays.
pub fn serve(settings: HubSettings) -> Result<(), DaemonError> {
    let mut daemon = Daemon::new("hub");
    let logging = Logger::new("hub").install();
    let notifier = Notifier::from_environment().unwrap_or_else(|error| {
        log::warn!("{error}");
        Notifier::silent()
    });
    let told = notifier.clone();
    let watchdog = Watchdog::new();
    let pulse = watchdog.pulse("serve", settings.spec.store.script.time.saturating_add(TURN_MAX));
    daemon = daemon
        .notifier(notifier)
        .watchdog(&watchdog)
        .ready_by_hand()
        .main_loop("serve", move |quit| run(settings, &told, pulse, quit));
    let ended = daemon.run();
    drop(logging);
    ended
}

/// Runs the hub until `quit` says otherwise, or another hub has taken everything over.
///
/// # Errors
/// [`HubError`]; what is on disk stays.
fn run(settings: HubSettings, notifier: &Notifier, pulse: Pulse, quit: &Quit) -> Result<(), HubError> {
    let settings = Arc::new(settings);
    let endpoints = Endpoint::inherited()?;
    let mut poller = Poller::new()?;
    poller.add(quit.as_fd(), QUIT, Interest::Read)?;
    let engines = engines(&settings, &mut poller, quit)?;
    if quit.is_asked() {
        return Ok(());
    }
    let taken = handover::take(&settings.handover, &Keeping::of(&settings.spec))
        .map_err(|error| HubError::Handover(error.to_string()))?;
    let (mut core, saved) = core(&settings, engines, taken.as_ref().is_some_and(Taken::has_keys))?;
    core.tcp_port =
        endpoints.iter().filter(|endpoint| endpoint.sort == HubSocket::Store).find_map(Endpoint::port);
    let reachable = endpoints.iter().filter(|endpoint| endpoint.sort == HubSocket::Herd);
    let reachable = reachable.filter_map(|endpoint| Some(endpoint.reachable()?.to_string())).collect();
    let seed = u64::from_le_bytes(remuda_sys::random::bytes()?);
    core.herd = Herd::new(&settings.spec, reachable, seed)?;
    if let Some(herd) = &mut core.herd {
        herd.saved = saved;
        herd.watch(&poller)?;
    }
    let mut hub = Hub::new(endpoints, core, poller, pulse)?;
    let mut former = None;
    if taken.is_none()
        && let Err(why) = hub.core.locks.recover(moment().tick)
    {
        hub.core.locks.refuse(&why);
    }
    if let Some(taken) = taken {
        former = Some(hub.take_over(taken).map_err(|error| HubError::Handover(error.to_string()))?);
    }
    hub.core.begin_in_herd();
    match Giving::listen(&settings.handover) {
        Ok(giving) => {
            hub.core.giving = Some(giving);
            hub.watch_for_successors();
        }
        Err(error) => log::warn!("{error}; the next hub will begin with what the disk has"),
    }
    hub.be_ready(notifier.clone());
    let end = hub.run(quit)?;
    drop(former);
    match end {
        End::Asked => hub.finish(),
        End::HandedOver(link) => {
            // Nothing of it is needed any more, and the new one has all of it too.
            drop(hub);
            wait_for_the_end(&link, quit)?;
        }
    }
    Ok(())
}

/// Everything is another hub's now. Should that one end before this one is told to, nobody serves: ending with an error
/// has the arbiter start another.
fn wait_for_the_end(link: &Link, quit: &Quit) -> Result<(), HubError> {
    loop {
        match quit.wait_readable(link, LOOK_EVERY) {
            Ok(Wake::Quit) => return Ok(()),
            Ok(Wake::Elapsed) => {}
            Ok(Wake::Readable) | Err(_) => {
                return Err(HubError::Handover(
                    "the new hub ended, and this one has given everything away".to_owned(),
                ));
            }
        }
    }
}

/// The engines of the config; reached, if another hub serves meanwhile.
fn engines(settings: &HubSettings, poller: &mut Poller, quit: &Quit) -> Result<Engines, HubError> {
    let seed = u64::from_le_bytes(remuda_sys::random::bytes()?);
    let mut engines = Engines::new(&settings.spec, &new_id()?, moment().wall_ms, seed)?;
    engines.watch(poller)?;
    if engines.are_some() && handover::is_there(&settings.handover) {
        let mut bus = remuda_bus::Bus::new(limits::bus(&settings.spec, first_sequence(), seed));
        engines.reach(poller, quit, &mut bus)?;
    }
    Ok(engines)
}

/// Names one run of a hub among all.
fn new_id() -> Result<String, HubError> {
    let bytes: [u8; 20] = remuda_sys::random::bytes()?;
    Ok(to_hex(&bytes))
}

/// Everything but connections, and what was written down of shared keys; without what the disk has where it is old.
fn core(settings: &Arc<HubSettings>, engines: Engines, is_disk_old: bool) -> Result<(Core, Saved), HubError> {
    let spec = &settings.spec;
    let seed = u64::from_le_bytes(remuda_sys::random::bytes()?);
    let (mut store, mut saved) = (Store::new(limits::store(spec, seed)), Saved::default());
    let journal = match (limits::keeps_journal(spec), is_disk_old) {
        (false, _) => None,
        (true, false) => Some(recover(settings, Some((&mut store, &mut saved)))?),
        (true, true) => Some(recover(settings, None)?),
    };
    let bus = remuda_bus::Bus::new(limits::bus(spec, first_sequence(), seed));
    let run_id = new_id()?;
    let uid = remuda_sys::users::effective_user();
    let scripts =
        Scripts::new(limits::scripts(spec)).map_err(|error| HubError::Scripts(error.to_string()))?;
    let durability = Durability::new(journal, limits::fsync(spec));
    let mechanisms = Mechanisms::new(spec)?;
    let core =
        Core::new(Arc::clone(settings), store, bus, durability, run_id, uid, mechanisms, engines, scripts);
    Ok((core, saved))
}

/// Sequence numbers of messages go on after a restart without a file of their own: they begin at the time, and no hub
/// publishes a million messages a millisecond.
fn first_sequence() -> u64 {
    moment().wall_ms << 20
}

/// Opens the journal and fills what is to be filled, if anything is, with what it has.
fn recover(
    settings: &HubSettings,
    mut filled: Option<(&mut Store, &mut Saved)>,
) -> Result<Journal, HubError> {
    let folder = settings.spec.state_dir.join(JOURNAL_FOLDER);
    std::fs::create_dir_all(&folder).map_err(|why| HubError::File {
        what: "make the folder",
        path: folder.clone(),
        why,
    })?;
    let recovery = Journal::open(&folder, limits::journal(&settings.spec))?;
    let (mut database, mut refused) = (0, 0_u64);
    let now = moment();
    let (journal, report) = recovery.replay(&mut |command| match command {
        [word, number] if word.eq_ignore_ascii_case(b"SELECT") => {
            database = std::str::from_utf8(number).ok().and_then(|number| number.parse().ok()).unwrap_or(0);
        }
        command => {
            let Some((store, saved)) = &mut filled else { return };
            if !saved.read(command)
                && let Err(error) = store.replay(now, database, command)
            {
                refused += 1;
                if refused <= 10 {
                    log::error!("the store's journal: {error}");
                }
            }
        }
    })?;
    if report.is_damaged() || refused > 0 {
        log::error!("{report}");
    } else {
        log::info!("{report}");
    }
    Ok(journal)
}

impl Hub {
    /// Everything that was acknowledged is on disk.
    fn finish(&mut self) {
        self.leave_herd();
        self.core.durability.flush();
        self.core.locks.finish();
        if let Some(journal) = self.core.durability.take()
            && let Err(error) = journal.close(CLOSE_WITHIN)
        {
            log::error!("{error}");
        }
    }
}
