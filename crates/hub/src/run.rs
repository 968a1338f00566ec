//! A hub's life: its settings, its machines, what the disk has, the loop, and a good end.

use std::sync::Arc;

use remuda_model::hub::{HubSettings, HubSocket};
use remuda_store::Store;
use remuda_sys::socket::Link;
use remuda_toolkit::logging::Logger;
use remuda_toolkit::{Daemon, DaemonError, Notifier, Quit, Wake};

use crate::core::Core;
use crate::durability::Durability;
use crate::endpoint::Endpoint;
use crate::error::HubError;
use crate::handover::{self, Giving};
use crate::hub::{End, Hub, moment};
use crate::journal::Journal;
use crate::limits;
use crate::script::Scripts;
use crate::zeromq::mechanisms::Mechanisms;

/// How long the end waits for the disk.
const CLOSE_WITHIN: std::time::Duration = std::time::Duration::from_secs(5);
/// How long one wait for the end takes at most.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_secs(3600);
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
    daemon =
        daemon.notifier(notifier).ready_by_hand().main_loop("serve", move |quit| run(settings, &told, quit));
    let ended = daemon.run();
    drop(logging);
    ended
}

/// Runs the hub until `quit` says otherwise, or another hub has taken everything over.
///
/// # Errors
/// [`HubError`]; what is on disk stays.
fn run(settings: HubSettings, notifier: &Notifier, quit: &Quit) -> Result<(), HubError> {
    let settings = Arc::new(settings);
    let endpoints = Endpoint::inherited()?;
    let taken = handover::take(&settings.handover).map_err(|error| HubError::Handover(error.to_string()))?;
    let mut core = core(&settings)?;
    core.tcp_port =
        endpoints.iter().filter(|endpoint| endpoint.sort == HubSocket::Store).find_map(Endpoint::port);
    let mut hub = Hub::new(endpoints, core, quit)?;
    let mut former = None;
    if let Some(taken) = taken {
        former = Some(hub.take_over(taken).map_err(|error| HubError::Handover(error.to_string()))?);
    }
    match Giving::listen(&settings.handover) {
        Ok(giving) => {
            hub.core.giving = Some(giving);
            hub.watch_for_successors();
        }
        Err(error) => log::warn!("{error}; the next hub will begin with what the disk has"),
    }
    // Whoever does not listen to us is no reason not to serve.
    if let Err(error) = notifier.ready() {
        log::warn!("{error}");
    }
    let end = hub.run(quit)?;
    drop(former);
    match end {
        End::Asked => hub.finish(),
        End::HandedOver(link) => wait_for_the_end(&link, quit)?,
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

fn core(settings: &Arc<HubSettings>) -> Result<Core, HubError> {
    let spec = &settings.spec;
    let seed = u64::from_le_bytes(remuda_sys::random::bytes()?);
    let mut store = Store::new(limits::store(spec, seed));
    let journal = if spec.store.durable { Some(recover(settings, &mut store)?) } else { None };
    let bus = remuda_bus::Bus::new(limits::bus(spec, first_sequence(), seed));
    let run_id: [u8; 20] = remuda_sys::random::bytes()?;
    let run_id = run_id.iter().map(|byte| format!("{byte:02x}")).collect();
    let uid = remuda_sys::users::effective_user();
    let scripts =
        Scripts::new(limits::scripts(spec)).map_err(|error| HubError::Scripts(error.to_string()))?;
    let durability = Durability::new(journal, limits::fsync(spec));
    Ok(Core::new(Arc::clone(settings), store, bus, durability, run_id, uid, Mechanisms::new(spec)?, scripts))
}

/// Sequence numbers of messages go on after a restart without a file of their own: they begin at the time, and no hub
/// publishes a million messages a millisecond.
fn first_sequence() -> u64 {
    moment().wall_ms << 20
}

/// Opens the journal and fills `store` with what it has.
fn recover(settings: &HubSettings, store: &mut Store) -> Result<Journal, HubError> {
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
            if let Err(error) = store.replay(now, database, command) {
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
        self.core.durability.flush();
        if let Some(journal) = self.core.durability.take()
            && let Err(error) = journal.close(CLOSE_WITHIN)
        {
            log::error!("{error}");
        }
    }
}
