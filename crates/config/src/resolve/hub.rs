//! `[bus]`, `[store]`, `[herd]`, `[locks]`, `[hub]` and `[access.NAME]`: one service, its sockets, and who may use it.
//!
//! Each of `[bus]`, `[store]` and `[herd]` makes the hub, which always has the first two. It becomes an ordinary service with ordinary
//! sockets, so that nothing else has to know of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_model::hub::{Access, BusSpec, HUB, HerdSpec, HubSocket, HubSpec, StoreSpec};
use remuda_model::{Address, InstanceSpec, Kind, Mode, ServiceName, SocketName, SocketOptions, SocketSpec};

use super::{Resolution, Services, Sockets, or};
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;

/// Further addresses of the bus, and of the store.
const LISTEN_MAX: usize = 16;
/// What the worker runs: this very program, wherever it lies by then.
const COMMAND: [&str; 3] = ["/proc/self/exe", "worker", HUB];
/// Mode of the Unix sockets when all who may use the hub run as the arbiter's user.
const OWNER_ONLY: u32 = 0o600;
/// What its watchdog waits for where the config does not say: nobody else would notice a hub that hangs.
const WATCHDOG: Duration = Duration::from_secs(30);
/// Their mode when others do: the hub asks the kernel who connects.
const EVERYBODY: u32 = 0o666;

impl Resolution<'_> {
    /// Whether the file asks for a hub.
    pub(super) fn has_hub(&self) -> bool {
        self.file.bus.is_some() || self.file.store.is_some() || self.file.herd.is_some()
    }

    /// Whether the workers of a service may use the hub.
    pub(super) fn uses_hub(&mut self, raw: &raw::Service) -> bool {
        if let Some(hub) = &raw.hub
            && hub.value
            && !self.has_hub()
        {
            let problem = Problem::error(hub.span.clone(), "there is no hub that it could use");
            self.problems.push(problem.hint("write [bus], [store] or [herd]: each makes one"));
        }
        self.has_hub() && or(&raw.hub, true)
    }

    /// Adds the hub's sockets and its service, if the file asks for one.
    pub(super) fn hub(
        &mut self,
        instance: &mut InstanceSpec,
        sockets: &mut Sockets,
        services: &mut Services,
    ) {
        if !self.has_hub() {
            return self.hubless();
        }
        self.reserved();
        let accesses = self.accesses(services);
        let bus = self.table("bus", |this| this.bus());
        let store = self.table("store", |this| this.store());
        let herd = self.table("herd", |this| this.herd());
        let locks = self.table("locks", |this| this.locks(&bus, &store, herd.is_some()));
        let (raw, state_dir) = self.table("hub", |this| {
            let raw = this.file.hub.clone().unwrap_or_default().value;
            let state_dir = this.state_dir(raw.state.as_ref(), &instance.name, HUB);
            (worker(&raw), state_dir)
        });
        let name = Located::from(HUB);
        let Some(mut service) = self.table("hub", |this| this.service(&name, &raw)) else { return };
        let users = services.values().filter(|spec| spec.hub).filter_map(|spec| spec.identity.user.clone());
        let users: BTreeSet<String> = users.collect();
        let limited = services.values().filter(|spec| accesses.contains_key(&spec.name));
        let limited_users = limited.filter_map(|spec| spec.identity.user.clone()).collect();
        let mode = if users.is_empty() { OWNER_ONLY } else { EVERYBODY };
        for spec in hub_sockets(&bus, &store, herd.as_ref(), &instance.runtime_dir, mode) {
            self.not_taken(&spec, sockets);
            service.sockets.push(spec.name.clone());
            sockets.insert(spec.name.clone(), spec);
        }
        service.kind = Kind::Hub(Box::new(HubSpec {
            bus,
            store,
            herd,
            locks,
            state_dir,
            users,
            limited_users,
            accesses,
        }));
        if self.file.remuda.as_ref().is_none_or(|remuda| remuda.stop_timeout.is_none()) {
            // It stops when the others have.
            instance.stop_timeout =
                instance.stop_timeout.map(|time| time.saturating_add(service.stop.timeout));
        }
        services.insert(service.name.clone(), service);
    }

    /// Resolves a table without a name. Of one that something was cut out of, only the readers' problems are told.
    pub(super) fn table<T>(&mut self, table: &str, resolve: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.problems.len();
        let resolved = resolve(self);
        if self.cut.iter().any(|(section, _)| section == table) {
            self.problems.truncate(before);
        }
        resolved
    }

    /// Without a hub, nothing can be said about one.
    fn hubless(&mut self) {
        const HINT: &str = "write [bus], [store] or [herd]: each makes a hub";
        for name in self.file.access.keys() {
            let message =
                format!("access.{} says what a service may do on the hub, and there is none", name.value);
            self.problems.push(Problem::error(name.span.clone(), message).hint(HINT));
        }
        if let Some(locks) = &self.file.locks {
            let message = "[locks] says how the hub keeps locks, and there is none";
            self.problems.push(Problem::error(locks.span.clone(), message).hint(HINT));
        }
        if let Some(hub) = &self.file.hub
            && !self.cut.iter().any(|(section, _)| ["bus", "store", "herd"].contains(&section.as_str()))
        {
            let message = "[hub] says how the hub runs, and there is none";
            self.problems.push(Problem::error(hub.span.clone(), message).hint(HINT));
        }
    }

    /// The names of the hub and its sockets are not free.
    fn reserved(&mut self) {
        if let Some((name, _)) = self.file.service.get_key_value(HUB) {
            let message =
                "a service cannot be named hub here: [bus], [store] and [herd] make a service of that name";
            let problem = Problem::error(name.span.clone(), message);
            self.problems.push(problem.hint("rename it; how the hub runs is said in [hub]"));
        }
        let file = self.file;
        for name in file.socket.keys().filter(|name| HubSocket::of(name).is_some()) {
            let message =
                format!("a socket cannot be named {} here: the hub has one of that name", name.value);
            self.error(name.span.as_ref(), message);
        }
    }

    fn accesses(&mut self, services: &Services) -> BTreeMap<ServiceName, Access> {
        let kept_out = services.values().filter(|spec| !spec.hub);
        let mut accesses: BTreeMap<_, _> = kept_out.map(|spec| (spec.name.clone(), Access::none())).collect();
        let file = self.file;
        for (name, raw) in &file.access {
            let Some(service) = self.known_service(name) else { continue };
            if accesses.contains_key(&service) {
                let message = format!("service.{service} does not use the hub: hub = false");
                let span = file.service.get(service.as_str()).and_then(|raw| raw.hub.as_ref()?.span.clone());
                let problem = Problem::error(name.span.clone(), message);
                self.problems.push(problem.related(span, "here"));
                continue;
            }
            accesses.insert(service, self.access(raw));
        }
        accesses
    }

    fn access(&mut self, raw: &raw::Access) -> Access {
        let list = |field: &Field<Vec<Located<String>>>| {
            field.as_ref().map(|list| list.iter().map(|prefix| prefix.value.clone()).collect::<Vec<_>>())
        };
        let pairs = [
            ("keys", &raw.keys, "read_keys", &raw.read_keys),
            ("topics", &raw.topics, "read_topics", &raw.read_topics),
        ];
        for (all, wide, further, narrow) in pairs {
            if let (None, Some(narrow)) = (wide, narrow) {
                let message = format!("`{further}` has no effect: without `{all}` it may use all {all}");
                let problem = Problem::warning(narrow.span.clone(), message);
                self.problems.push(problem.hint(format!("write {all} = [] to allow nothing else")));
            }
        }
        let further = |wide: &Field<Vec<Located<String>>>, narrow: &Field<Vec<Located<String>>>| {
            wide.as_ref().and_then(|_| list(narrow)).unwrap_or_default()
        };
        Access {
            keys: list(&raw.keys),
            read_keys: further(&raw.keys, &raw.read_keys),
            topics: list(&raw.topics),
            read_topics: further(&raw.topics, &raw.read_topics),
        }
    }

    /// The folder of what outlives a built-in worker.
    pub(super) fn state_dir(
        &mut self,
        written: Option<&Located<String>>,
        name: &str,
        worker: &str,
    ) -> PathBuf {
        if let Some(written) = written {
            return self.path(written);
        }
        let uid = self.surroundings.uid;
        let folder = |variable: &str| {
            let path = self.surroundings.variables.get(variable).map(PathBuf::from);
            path.filter(|path| path.is_absolute())
        };
        let base = match (folder("XDG_STATE_HOME"), folder("HOME")) {
            _ if uid == 0 => PathBuf::from("/var/lib/remuda"),
            (Some(state), _) => state.join("remuda"),
            (None, Some(home)) => home.join(".local/state/remuda"),
            (None, None) => PathBuf::from(format!("/var/tmp/remuda-{uid}")),
        };
        base.join(name).join(worker)
    }

    /// Nobody else listens where a socket of the hub does.
    fn not_taken(&mut self, spec: &SocketSpec, sockets: &Sockets) {
        let Some(other) = sockets.values().find(|other| other.listen == spec.listen) else { return };
        let is_same_list = HubSocket::of(other.name.as_str()) == HubSocket::of(spec.name.as_str());
        if is_same_list || super::relation::is_any_port(&spec.listen) {
            return;
        }
        let message = format!("{} and {} listen on the same address, {}", spec.name, other.name, spec.listen);
        let first = match self.file.socket.get(other.name.as_str()) {
            Some(raw) => raw.listen.as_ref().and_then(|listen| listen.span.clone()),
            None => self.listen_place(&other.name),
        };
        let problem = Problem::error(self.listen_place(&spec.name), message);
        self.problems.push(problem.related(first, "first here"));
    }

    /// Where the address of one of the hub's sockets is written.
    fn listen_place(&self, name: &SocketName) -> Option<Span> {
        let (bus, store) = (self.file.bus.as_ref(), self.file.store.as_ref());
        let listed = |listen: &Field<raw::Listen>| {
            let number: usize = name.as_str().rsplit('-').next()?.parse().ok()?;
            let listen = listen.as_ref()?;
            listen.0.get(number.checked_sub(1)?)?.span.clone().or_else(|| listen.span.clone())
        };
        let single = |address: &Field<Address>| address.as_ref()?.span.clone();
        match HubSocket::of(name.as_str())? {
            HubSocket::Bus => listed(&bus?.listen),
            HubSocket::Store => listed(&store?.listen),
            HubSocket::Pub => single(&bus?.pub_listen),
            HubSocket::Pull => single(&bus?.pull_listen),
            HubSocket::Herd => listed(&self.file.herd.as_ref()?.listen),
        }
    }

    /// The addresses of a `listen`, and whether any of them can be reached from other machines.
    pub(super) fn addresses(&mut self, listen: &Field<raw::Listen>) -> (Vec<Address>, Option<Span>) {
        let Some(listen) = listen else { return (vec![free_port()], None) };
        if listen.0.len() > LISTEN_MAX {
            let message =
                format!("{} addresses are more than the {LISTEN_MAX} that are possible", listen.0.len());
            self.error(listen.span.as_ref(), message);
        }
        let mut open = None;
        let mut addresses = Vec::new();
        for written in &listen.0 {
            let span = written.span.clone().or_else(|| listen.span.clone());
            let written = Located { value: written.value.clone(), span };
            let (address, reached) = self.address(&written);
            if addresses.contains(&address) && !super::relation::is_any_port(&address) {
                self.error(written.span.as_ref(), format!("{address} is listed twice"));
            }
            addresses.push(address);
            open = open.or(reached);
        }
        (addresses, open)
    }

    /// An address of the hub, and where it is written if it can be reached from other machines.
    pub(super) fn address(&mut self, written: &Located<Address>) -> (Address, Option<Span>) {
        let address = written.value.clone().below(&self.folder);
        self.unix_fits(&address, written);
        let reached = match &address {
            Address::Tcp(address) => !address.ip().to_canonical().is_loopback(),
            Address::TcpHost { host, .. } => host != "localhost",
            Address::UnixStream(_) | Address::Abstract(_) => false,
            // Who has bound it knows where it leads.
            Address::Systemd(_) | Address::Fd(_) => true,
            Address::Udp(_) | Address::UnixDatagram(_) | Address::UnixSeqpacket(_) => {
                let problem =
                    Problem::error(written.span.clone(), format!("the hub has no use for {address}"));
                self.problems.push(problem.hint("it listens on TCP addresses and on unix:… ones"));
                false
            }
        };
        let place = written.span.clone().unwrap_or_default();
        (address, reached.then_some(place))
    }

    /// Refuses an address that other machines can reach, when nobody has to show who they are.
    pub(super) fn guarded(&mut self, section: &str, open: Option<Span>, auth: Option<Span>, hint: &str) {
        let Some(place) = open else { return };
        let message =
            format!("other machines can reach this address of the {section}, and anybody could use it");
        let problem = Problem::error(Some(place).filter(|place| !place.is_empty()), message);
        self.problems.push(problem.related(auth, "nobody shows who they are").hint(hint));
    }
}

fn free_port() -> Address {
    Address::Tcp((std::net::Ipv4Addr::LOCALHOST, 0).into())
}

/// The hub as it would be written as a service.
fn worker(raw: &raw::Hub) -> raw::Service {
    raw::Service {
        command: Some(raw::Command::Words(COMMAND.map(Located::from).to_vec()).into()),
        ready: Some("notify".to_owned().into()),
        hub: Some(false.into()),
        user: raw.user.clone(),
        group: raw.group.clone(),
        nice: raw.nice.clone(),
        oom_score_adjust: raw.oom_score_adjust.clone(),
        ready_timeout: raw.ready_timeout.clone(),
        watchdog: Some(raw.watchdog.clone().unwrap_or_else(|| raw::Duration(WATCHDOG).into())),
        stop: raw.stop.clone(),
        restart: raw.restart.clone(),
        backoff: raw.backoff.clone(),
        log: raw.log.clone(),
        env: raw.env.clone(),
        limits: raw.limits.clone(),
        ..raw::Service::default()
    }
}

fn hub_sockets(
    bus: &BusSpec,
    store: &StoreSpec,
    herd: Option<&HerdSpec>,
    runtime_dir: &Path,
    mode: u32,
) -> Vec<SocketSpec> {
    let unix = |name: &str| Address::UnixStream(runtime_dir.join(name));
    let mut all = vec![
        (HubSocket::Bus.socket_name(0), unix("bus.sock")),
        (HubSocket::Store.socket_name(0), unix("store.sock")),
    ];
    let others = herd.map_or(&[][..], |herd| &herd.listen);
    let lists =
        [(HubSocket::Bus, &bus.listen[..]), (HubSocket::Store, &store.listen), (HubSocket::Herd, others)];
    for (socket, listen) in lists {
        all.extend((1..).zip(listen).map(|(number, address)| (socket.socket_name(number), address.clone())));
    }
    for (socket, listen) in [(HubSocket::Pub, &bus.pub_listen), (HubSocket::Pull, &bus.pull_listen)] {
        all.extend(listen.iter().map(|address| (socket.socket_name(0), address.clone())));
    }
    let options = |listen: &Address| {
        let tcp = matches!(listen, Address::Tcp(_) | Address::TcpHost { .. });
        // Messages are small, and wait for none.
        let options = SocketOptions { nodelay: tcp, reuse_address: tcp, ..SocketOptions::default() };
        if listen.path().is_some() { SocketOptions { file_mode: mode, ..options } } else { options }
    };
    let specs = all.into_iter().map(|(name, listen)| {
        let options = options(&listen);
        SocketSpec { name, listen, mode: Mode::Shared, balance: remuda_model::Balance::default(), options }
    });
    specs.collect()
}
