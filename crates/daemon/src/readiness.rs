//! From a service's way of being ready to a probe.

use std::ffi::OsString;
use std::sync::Arc;

use regex_lite::Regex;
use remuda_arbiter::Input;
use remuda_config::substitute::substitute;
use remuda_model::{Address, Readiness, WorkerId};
use remuda_sys::spawn::EnvironmentValue;

use crate::child::Child;
use crate::daemon::Daemon;
use crate::environment::known;
use crate::probe::{Door, Look, probe};
use crate::sockets::Bound;

impl Daemon {
    /// What has to be looked for from a worker's first moment on.
    pub(crate) fn foresee(&mut self, child: &Child) {
        if let Readiness::Log(pattern) = &child.spec.ready {
            match Regex::new(pattern) {
                Ok(pattern) => self.capture.seek(child.id, pattern),
                Err(error) => self.trouble(format!("the readiness pattern of {}: {error}", child.spec.name)),
            }
        }
    }

    /// Begins to find out when a worker is ready. Some ways tell at once.
    pub(crate) fn probe(&mut self, worker: WorkerId) -> Option<Input> {
        let child = self.children.get(&worker)?;
        let look = match &child.spec.ready {
            Readiness::Started => return Some(Input::Ready { worker }),
            // These speak for themselves.
            Readiness::Notify | Readiness::Ack | Readiness::Descriptor(_) => return None,
            Readiness::Log(_) => return self.capture.watch(worker).then_some(Input::Ready { worker }),
            Readiness::Delay(delay) => Look::Delay(*delay),
            Readiness::Listen => Look::Listens { given: given(child) },
            Readiness::Tcp(address) => {
                let address = address.as_deref().map(|address| self.filled(child, address));
                let (door, shared) = door(child, address.as_deref());
                Look::Connect { door, shared }
            }
            Readiness::Http(target) => {
                let (host, path) = split_url(&self.filled(child, target));
                let (door, shared) = door(child, host.as_deref());
                let host = host.unwrap_or_else(|| "localhost".to_owned());
                Look::Get { door, host, path, shared }
            }
            Readiness::Exec(command) => self.exec_look(child, command),
        };
        let (pid, service, helpers) = (child.pid, child.spec.name.clone(), self.tasks.helpers().clone());
        self.tasks.start_probe(worker, probe(worker, pid, look, helpers));
        self.slots_changed(&service);
        None
    }

    /// A text with the worker's own values in its placeholders. They were checked with the config; one that has no value
    /// all the same (a port of a Unix socket) stays as it is written, and the probe that fails shows it.
    fn filled(&self, child: &Child, text: &str) -> String {
        substitute(text, &self.values_of(child)).unwrap_or_else(|_| text.to_owned())
    }

    fn exec_look(&self, child: &Child, command: &str) -> Look {
        let spec = &child.spec;
        // Both were found when the worker itself was spawned.
        let (account, user) = crate::spawner::account(spec).unwrap_or_default();
        let mut variables = known(&self.ours, spec, account.as_ref());
        variables.insert("REMUDA_SERVICE".into(), spec.name.to_string());
        variables.insert("REMUDA_SLOT".into(), child.slot.to_string());
        variables.insert("REMUDA_PID".into(), child.pid.to_string());
        let text =
            |(name, value): (String, String)| (OsString::from(name), EnvironmentValue::Text(value.into()));
        Look::Exec {
            argv: ["/bin/sh", "-c", &self.filled(child, command)].map(OsString::from).to_vec(),
            environment: variables.into_iter().map(text).collect(),
            directory: spec.directory.clone(),
            user,
        }
    }
}

/// Whether a worker shows that it serves by answering at the socket it shares with others.
pub(crate) fn answers_at_its_socket(child: &Child) -> bool {
    match &child.spec.ready {
        Readiness::Tcp(address) => address.is_none(),
        Readiness::Http(target) => split_url(target).0.is_none(),
        _ => false,
    }
}

/// Inodes of the listeners a worker was given: those do not show that it listens.
fn given(child: &Child) -> Vec<u64> {
    let mut inodes = Vec::new();
    for socket in &child.sockets {
        socket.each(|listener| inodes.extend(remuda_sys::socket::inode(listener)));
    }
    inodes
}

/// Where to knock: at `address`, or at the worker's first socket. The second says whether the arbiter listens there
/// itself, so that a connection alone shows nothing.
fn door(child: &Child, address: Option<&str>) -> (Door, bool) {
    match address {
        Some(address) => (door_at(address), false),
        None => (child.sockets.first().map_or(Door::Internet(String::new()), own_door), true),
    }
}

fn own_door(socket: &Arc<Bound>) -> Door {
    door_at(&socket.address())
}

fn door_at(address: &str) -> Door {
    match address.parse::<Address>() {
        Ok(Address::Tcp(address)) if address.ip().is_unspecified() && address.is_ipv4() => {
            Door::Internet(format!("127.0.0.1:{}", address.port()))
        }
        Ok(Address::Tcp(address)) if address.ip().is_unspecified() => {
            Door::Internet(format!("[::1]:{}", address.port()))
        }
        Ok(Address::UnixStream(path)) => Door::Unix(path),
        // A leading zero byte is how the kernel tells such a name from a path.
        Ok(Address::Abstract(name)) => Door::Unix(format!("\0{name}").into()),
        Ok(other) => Door::Internet(other.to_string()),
        Err(_) => Door::Internet(address.to_owned()),
    }
}

/// `http://host:port/path` as address and path; `/path` alone has no address.
fn split_url(target: &str) -> (Option<String>, String) {
    let Some(rest) = target.strip_prefix("http://").or_else(|| target.strip_prefix("//")) else {
        return (None, target.to_owned());
    };
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    let host = if host.contains(':') { host.to_owned() } else { format!("{host}:80") };
    (Some(host), format!("/{path}"))
}
