//! Five servers with seven links between them: a ring and two chords, so that there are ways round every link.

use std::collections::BTreeMap;
use std::fs::File;
use std::process::Stdio;
use std::sync::Mutex;

use super::ground::{Cut, Ground, PORT};
use super::servers::{Servers, herd_address, hub, view};
use crate::harness::{Setup, run, until};

pub(crate) const COUNT: usize = 5;
/// Who calls whom.
pub(crate) const LINKS: [(usize, usize); 7] = [(0, 1), (1, 2), (2, 3), (3, 4), (4, 0), (0, 2), (1, 3)];
/// What all have in `[herd]`.
const SHARED: &str = "keys = [\"s:\"]\ncompare_every = \"1s\"";

/// The servers, and the ground they stand on, which goes after them.
pub(crate) struct Five {
    pub(crate) servers: Servers,
    ground: Ground,
    /// Messages lost in each life of each server.
    counts: Mutex<BTreeMap<(usize, u64), u64>>,
}

impl Five {
    pub(crate) fn up() -> Self {
        Self::up_with("", |_, _| {})
    }

    /// `more` goes into `[herd]` of all; `prepare` is told the number and folder of each before it is started.
    pub(crate) fn up_with(more: &str, prepare: impl Fn(usize, &mut Setup)) -> Self {
        let ground = Ground::new(COUNT, &LINKS);
        let more = format!("{SHARED}\n{more}");
        let servers = if ground.is_wired() {
            Servers::up_prepared(COUNT, &LINKS, |_| more.clone(), prepare)
        } else {
            Self::spread_out(&ground, &more, prepare)
        };
        servers.are_one(COUNT);
        Self { servers, ground, counts: Mutex::default() }
    }

    /// Whether each server would have a network namespace of its own.
    pub(crate) fn is_spread_out() -> bool {
        !Ground::new(1, &[]).is_wired()
    }

    fn spread_out(ground: &Ground, more: &str, prepare: impl Fn(usize, &mut Setup)) -> Servers {
        let mut all = Vec::new();
        for number in 0..COUNT {
            let mut setup = Setup::new(&format!(
                "[herd]\nlisten = [\"0.0.0.0:{PORT}\"]\nheartbeat = \"200ms\"\npeers = {:?}\n{more}\n[hub]\nstate = \"state\"\n",
                ground.calls(number),
            ));
            setup.wrapper = ground.wrapper(number);
            prepare(number, &mut setup);
            if number == 0 {
                let init = ["herd", "init", "--name", "shop", "--node", "n0"];
                run::run(setup.command(&init)).done();
            }
            let instance = setup.up();
            instance.settled();
            all.push(instance);
            if number > 0 {
                // Where the signer stands, its own address leads to it; the folder is the same everywhere, unless it lies on
                // a disk of its own: then it is entered too.
                let token = all[0].remuda(&["herd", "invite", "--address", &format!("127.0.0.1:{PORT}")]);
                let joiner = &all[number];
                let path = joiner.write("token", &token.done().out);
                let mount = format!("--mount=/proc/{}/ns/mnt", joiner.pid());
                let at = ground.wrapper(0);
                let mut command = joiner.marked(&at[0]);
                command.arg(&at[1]).args([&mount, &format!("--wd={}", joiner.dir().display())]);
                command.args([env!("CARGO_BIN_EXE_remuda"), "herd", "join", "-", "--node"]);
                command.arg(format!("n{number}")).stdin(Stdio::from(File::open(path).unwrap()));
                let output = command.output().unwrap();
                assert!(output.status.success(), "{output:?}");
            }
        }
        Servers { all, wires: Vec::new() }
    }

    /// Cuts a link, by its number in [`LINKS`].
    pub(crate) fn cut(&self, link: usize, cut: Cut) {
        match (self.ground.is_wired(), cut) {
            (false, _) => self.ground.cut(link, cut),
            (true, Cut::Down) => self.servers.wires[link].2.cut(),
            (true, Cut::Silent) => self.servers.wires[link].2.silence(),
        }
    }

    /// Mends a link.
    pub(crate) fn mend(&self, link: usize) {
        if self.ground.is_wired() {
            let (_, to, wire) = &self.servers.wires[link];
            wire.mend(herd_address(&self.servers.all[*to]));
        } else {
            self.ground.mend(link);
        }
    }

    /// Whether one of the two ends of a link has given it up.
    pub(crate) fn is_given_up(&self, link: usize) -> bool {
        let (from, to) = LINKS[link];
        let name = format!("n{to}");
        view(&self.servers.all[from]).links.iter().all(|link| link.name != name)
    }

    /// Waits until all links are there, after servers were started again.
    #[track_caller]
    pub(crate) fn comes_together(&self) {
        if self.ground.is_wired() {
            // They listen at other ports than before.
            (0..LINKS.len()).for_each(|link| self.mend(link));
        }
        self.is_whole();
    }

    /// Waits until all links are there, and everybody hears everybody.
    #[track_caller]
    pub(crate) fn is_whole(&self) {
        until("all links", || {
            let links = self.servers.all.iter().map(|server| view(server).links.len());
            links.sum::<usize>() == 2 * LINKS.len()
        });
        self.servers.are_one(COUNT);
    }

    /// Messages that somebody missed, by the servers' own count. A life that has ended counts as it was asked last.
    pub(crate) fn counted_as_lost(&self) -> u64 {
        let mut lives = self.counts.lock().unwrap();
        for (number, server) in self.servers.all.iter().enumerate() {
            let view = view(server);
            let lost = view.counters.lost_total + view.counters.dropped_total;
            lives.insert((number, view.epoch), lost);
        }
        lives.values().sum()
    }

    /// Clients of all servers.
    pub(crate) fn hubs(&self) -> Vec<remuda_toolkit::client::Hub> {
        self.servers.all.iter().map(hub).collect()
    }
}
