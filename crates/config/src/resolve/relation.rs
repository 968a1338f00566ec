//! What sockets and services are to each other.

use std::collections::{BTreeMap, BTreeSet};

use remuda_model::{Address, ServiceName, SocketName, Stdin};

use super::{Resolution, Services, Sockets};
use crate::raw::Span;
use crate::report::Problem;

impl Resolution<'_> {
    pub(super) fn relations(&mut self, sockets: &Sockets, services: &Services) {
        self.same_addresses(sockets);
        // A service of which a part was cut out may have listed any socket.
        if self.cut.is_empty() {
            self.unused_sockets(sockets, services);
        }
        self.cycles(services);
        self.queues(sockets, services);
    }

    fn listen_span(&self, socket: &SocketName) -> Option<Span> {
        self.file.socket.get(socket.as_str())?.listen.as_ref()?.span.clone()
    }

    fn same_addresses(&mut self, sockets: &Sockets) {
        let mut seen: Vec<(&Address, &SocketName)> = Vec::new();
        for (name, spec) in sockets {
            if is_any_port(&spec.listen) {
                continue;
            }
            if let Some((_, first)) = seen.iter().find(|(address, _)| **address == spec.listen) {
                let message =
                    format!("socket.{name} and socket.{first} listen on the same address, {}", spec.listen);
                let problem = Problem::error(self.listen_span(name), message);
                let related = problem.related(self.listen_span(first), "first here");
                self.problems.push(
                    related.hint("several services may inherit one socket: list it in each one's `sockets`"),
                );
            } else {
                seen.push((&spec.listen, name));
            }
        }
    }

    fn unused_sockets(&mut self, sockets: &Sockets, services: &Services) {
        let inherited = services.values().flat_map(|spec| &spec.sockets);
        let on_stdin = services.values().filter_map(|spec| match &spec.stdin {
            Stdin::Socket(name) => Some(name),
            Stdin::Null | Stdin::Hold => None,
        });
        let used: BTreeSet<_> = inherited.chain(on_stdin).collect();
        for name in sockets.keys().filter(|name| !used.contains(name)) {
            let span = self.file.socket.get_key_value(name.as_str()).and_then(|(key, _)| key.span.clone());
            let message = format!("no service inherits socket.{name}: connections would wait for ever");
            let problem = Problem::warning(span, message);
            self.problems.push(problem.hint(format!("add it to a service: sockets = [\"{name}\"]")));
        }
    }

    /// Services that wait for each other would wait for ever.
    fn cycles(&mut self, services: &Services) {
        let mut done = BTreeSet::new();
        for start in services.keys() {
            if let Some(cycle) = cycle_from(start, services, &mut done) {
                let names: Vec<_> = cycle.iter().chain(cycle.first()).map(|name| name.as_str()).collect();
                let message = format!("these services wait for each other: {}", names.join(" -> "));
                let mut places = cycle.iter().map(|name| self.after_span(name));
                let mut problem = Problem::error(places.next().flatten(), message);
                for place in places {
                    problem = problem.related(place, "and here");
                }
                self.problems.push(problem.hint("take one of them out of `after`"));
            }
        }
    }

    fn after_span(&self, service: &ServiceName) -> Option<Span> {
        self.file.service.get(service.as_str())?.after.as_ref()?.span.clone()
    }
}

pub(super) fn is_any_port(address: &Address) -> bool {
    match address {
        Address::Tcp(address) | Address::Udp(address) => address.port() == 0,
        Address::TcpHost { port, .. } => *port == 0,
        _ => false,
    }
}

/// The cycle that a walk along `after` from `start` ends in, unless it was met before.
fn cycle_from<'a>(
    start: &'a ServiceName,
    services: &'a Services,
    done: &mut BTreeSet<&'a ServiceName>,
) -> Option<Vec<&'a ServiceName>> {
    let mut path: Vec<(&ServiceName, usize)> = vec![(start, 0)];
    let mut position: BTreeMap<&ServiceName, usize> = BTreeMap::from([(start, 0)]);
    let mut cycle = None;
    while let Some((name, next)) = path.last_mut() {
        let name = *name;
        let following = if done.contains(name) {
            None
        } else {
            services.get(name).and_then(|spec| spec.after.get(*next))
        };
        *next += 1;
        match following {
            None => {
                done.insert(name);
                position.remove(name);
                path.pop();
            }
            Some(after) => match position.get(after) {
                Some(begin) if cycle.is_none() => {
                    cycle = Some(path[*begin..].iter().map(|(name, _)| *name).collect());
                }
                Some(_) => {}
                None => {
                    position.insert(after, path.len());
                    path.push((after, 0));
                }
            },
        }
    }
    cycle
}
