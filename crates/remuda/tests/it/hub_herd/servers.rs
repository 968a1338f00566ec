//! Several instances that are one herd, made by the commands an operator uses.

use std::fs::File;
use std::net::SocketAddr;
use std::process::Stdio;
use std::time::{Duration, Instant};

use remuda_model::hub::HerdView;
use remuda_toolkit::client::{Address, Heard, Hub, Subscription};

use super::wire::Wire;
use crate::harness::{Instance, PATIENCE, Setup, until};

/// A topic for one message each in which every server is asked whether it hears.
const PROBE: &str = "probe.";

/// Servers, and the wires of the calls between them.
pub(crate) struct Servers {
    pub(crate) all: Vec<Instance>,
    /// Caller, called, wire.
    pub(crate) wires: Vec<(usize, usize, Wire)>,
}

impl Servers {
    /// `count` servers of one herd with calls as `calls` says; `more` goes into each `[herd]`.
    pub(crate) fn up(count: usize, calls: &[(usize, usize)], more: &str) -> Self {
        Self::up_each(count, calls, |_| more.to_owned())
    }

    /// `more` says what goes into and behind `[herd]` of each server.
    pub(crate) fn up_each(count: usize, calls: &[(usize, usize)], more: impl Fn(usize) -> String) -> Self {
        Self::make(count, calls, more, |_, _| {}, |_| Vec::new())
    }

    /// Each server is started by what `wrapper` says.
    pub(crate) fn up_with(
        count: usize,
        calls: &[(usize, usize)],
        more: impl Fn(usize) -> String,
        wrapper: impl Fn(usize) -> Vec<String>,
    ) -> Self {
        Self::make(count, calls, more, |_, _| {}, wrapper)
    }

    /// As [`Servers::up_each`]; `prepare` is told the number and folder of each before it is started.
    pub(crate) fn up_prepared(
        count: usize,
        calls: &[(usize, usize)],
        more: impl Fn(usize) -> String,
        prepare: impl Fn(usize, &mut Setup),
    ) -> Self {
        Self::make(count, calls, more, prepare, |_| Vec::new())
    }

    fn make(
        count: usize,
        calls: &[(usize, usize)],
        more: impl Fn(usize) -> String,
        prepare: impl Fn(usize, &mut Setup),
        wrapper: impl Fn(usize) -> Vec<String>,
    ) -> Self {
        let wires: Vec<(usize, usize, Wire)> =
            calls.iter().map(|(from, to)| (*from, *to, Wire::new())).collect();
        let setup = |server: usize| {
            let peers = wires.iter().filter(|(from, ..)| *from == server);
            let peers: Vec<String> =
                peers.map(|(.., wire)| format!("{:?}", wire.address.to_string())).collect();
            let mut setup = Setup::new(&format!(
                "[herd]\nlisten = [\"127.0.0.1:0\"]\nheartbeat = \"200ms\"\npeers = [{}]\n{}\n[hub]\nstate = \"state\"\n",
                peers.join(", "),
                more(server),
            ));
            prepare(server, &mut setup);
            setup
        };
        let mut first = setup(0);
        let begun =
            crate::harness::run::run(first.command(&["herd", "init", "--name", "shop", "--node", "n0"]));
        begun.done();
        first.wrapper.extend(wrapper(0));
        let mut all = vec![first.up()];
        all[0].settled();
        for number in 1..count {
            let mut setup = setup(number);
            join(&all[0], &setup, number);
            setup.wrapper.extend(wrapper(number));
            let instance = setup.up();
            instance.settled();
            all.push(instance);
        }
        let servers = Self { all, wires };
        for number in 0..count {
            servers.mend_all(number);
        }
        servers
    }

    /// Wires to a server lead to where it listens now.
    pub(crate) fn mend_all(&self, server: usize) {
        let address = herd_address(&self.all[server]);
        for (_, _, wire) in self.wires.iter().filter(|(_, to, _)| *to == server) {
            wire.mend(address);
        }
    }

    /// Waits until everybody sees `count` servers, and hears what is published on any of them.
    #[track_caller]
    pub(crate) fn are_one(&self, count: usize) {
        until("everybody to know everybody", || {
            self.all.iter().all(|instance| {
                let view = view(instance);
                view.members.iter().filter(|member| member.state == "here").count() == count
            })
        });
        for from in 0..self.all.len() {
            let mut listeners: Vec<Subscription> =
                self.all.iter().map(|to| hub(to).subscribe([PROBE.as_bytes()])).collect();
            for listener in &mut listeners {
                listener.connect().unwrap();
            }
            let mut store = hub(&self.all[from]).store();
            for listener in &mut listeners {
                let deadline = Instant::now() + PATIENCE;
                loop {
                    store.publish(format!("{PROBE}{from}").as_bytes(), b"").unwrap();
                    if matches!(listener.next(Duration::from_millis(50)), Ok(Some(Heard::Message(_)))) {
                        break;
                    }
                    assert!(Instant::now() < deadline, "server {from} is not heard everywhere");
                }
            }
        }
    }

    pub(crate) fn end(self) {
        for instance in self.all {
            instance.end();
        }
    }
}

/// Makes `setup` a member, admitted by the hub of `signer`.
pub(crate) fn join(signer: &Instance, setup: &Setup, number: usize) {
    let at = herd_address(signer).to_string();
    let token = signer.remuda(&["herd", "invite", "--address", &at]).done().out;
    let path = setup.write("token", &token);
    let mut command = setup.command(&["herd", "join", "-", "--node", &format!("n{number}")]);
    let output = command.stdin(Stdio::from(File::open(path).unwrap())).output().unwrap();
    assert!(output.status.success(), "{output:?}");
}

/// Where a server listens for others.
pub(crate) fn herd_address(instance: &Instance) -> SocketAddr {
    instance.status().hub.unwrap().herd[0].parse().unwrap()
}

/// A client of a server.
pub(crate) fn hub(instance: &Instance) -> Hub {
    let hub = instance.status().hub.unwrap();
    let path = hub.store.iter().find_map(|endpoint| endpoint.strip_prefix("unix://")).unwrap().to_owned();
    Hub::new(Address::unix(path))
}

/// The herd as a server sees it.
pub(crate) fn view(instance: &Instance) -> HerdView {
    instance.remuda(&["peers", "--json"]).json()
}
