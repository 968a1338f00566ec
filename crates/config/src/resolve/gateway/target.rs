//! What a route's `to` stands for.

use remuda_model::gateway::{ServerAddress, UpstreamServer, UpstreamServers, UpstreamSpec, UpstreamTls};
use remuda_model::{Address, ServiceName, SocketName, Stdin};

use super::Surface;
use super::upstream::service_key;
use crate::nearest::nearest;
use crate::raw::Located;
use crate::report::Problem;
use crate::resolve::{Resolution, Services, Sockets};

const HINT: &str =
    "write \"service:NAME\", \"service:NAME/SOCKET\", \"upstream:NAME\" or \"http://HOST:PORT\"";

impl Resolution<'_> {
    /// The key of an upstream, and what stands before the target there.
    pub(super) fn target(
        &mut self,
        text: &Located<String>,
        surface: &mut Surface<'_>,
    ) -> Option<(String, String)> {
        match text.split_once(':') {
            Some(("service", name)) => {
                let (service, socket, listen) =
                    self.service_socket(&text.with(name.to_owned()), surface.sockets, surface.services)?;
                let written = surface.upstreams.of_service(&service, &socket);
                if let [first, second, ..] = written.as_slice() {
                    let message =
                        format!("{first} and {second} are both for service.{service}: which is meant?");
                    self.problems
                        .push(Problem::error(text.span.clone(), message).hint(format!("write \"{first}\"")));
                }
                if let Some(key) = written.into_iter().next() {
                    return Some((key, String::new()));
                }
                let key = service_key(&service, &socket);
                surface.upstreams.insert(
                    key.clone(),
                    UpstreamSpec::new(UpstreamServers::Service { service, socket, listen }),
                );
                Some((key, String::new()))
            }
            Some(("upstream", name)) => {
                let key = format!("upstream:{name}");
                if !self.file.upstream.contains_key(name) {
                    let known = self.file.upstream.keys().map(|name| name.as_str());
                    let problem =
                        Problem::error(text.span.clone(), format!("there is no upstream named {name:?}"));
                    self.problems.push(problem.nearest(nearest(name, known)));
                    return None;
                }
                Some((key, String::new()))
            }
            Some((scheme @ ("http" | "https"), rest)) if rest.starts_with("//") => {
                self.url(text, scheme == "https", &rest[2..], surface)
            }
            _ => {
                let problem = Problem::error(
                    text.span.clone(),
                    format!("{:?} is nothing to pass requests on to", text.value),
                );
                self.problems.push(problem.hint(HINT));
                None
            }
        }
    }

    fn url(
        &mut self,
        text: &Located<String>,
        tls: bool,
        rest: &str,
        surface: &mut Surface<'_>,
    ) -> Option<(String, String)> {
        let (authority, base) = rest.find('/').map_or((rest, ""), |slash| rest.split_at(slash));
        let base = base.trim_end_matches('/');
        let has_port = authority
            .rsplit_once(':')
            .is_some_and(|(_, port)| port.bytes().all(|byte| byte.is_ascii_digit()));
        let authority = if has_port {
            authority.to_owned()
        } else {
            format!("{authority}:{}", if tls { 443 } else { 80 })
        };
        let wrong = |why: String| Problem::error(text.span.clone(), why).hint(HINT);
        if base.contains(['?', '#', ' ', '{']) || !base.is_ascii() || authority.contains('@') {
            self.problems.push(wrong(
                "a URL here is a host, a port, and perhaps a path that comes before the request's".into(),
            ));
            return None;
        }
        let address: ServerAddress = match authority.parse() {
            Ok(address @ ServerAddress::Tcp { .. }) => address,
            Ok(_) => {
                self.problems.push(wrong(format!("{authority:?} is no host")));
                return None;
            }
            Err(why) => {
                self.problems.push(wrong(why.to_string()));
                return None;
            }
        };
        let scheme = if tls { "https" } else { "http" };
        let key = format!("{scheme}://{address}");
        let mut spec = UpstreamSpec::new(UpstreamServers::Listed(vec![UpstreamServer {
            address: address.clone(),
            weight: 1,
        }]));
        spec.tls = tls.then_some(UpstreamTls { name: None, authorities: None, verify: true });
        if let (true, ServerAddress::Tcp { host, .. }) = (tls, address) {
            // Servers behind TLS are told apart by the name.
            spec.host = Some(host);
        }
        surface.upstreams.insert(key.clone(), spec);
        Some((key, base.to_owned()))
    }

    /// The socket by which a service is reached: `NAME` for one that has one, else `NAME/SOCKET`.
    pub(super) fn service_socket(
        &mut self,
        text: &Located<String>,
        sockets: &Sockets,
        services: &Services,
    ) -> Option<(ServiceName, SocketName, Address)> {
        let (name, wanted) =
            text.split_once('/').map_or((text.as_str(), None), |(name, socket)| (name, Some(socket)));
        let service = self.known_service(&text.with(name.to_owned()))?;
        // Of one that could not be resolved, the reason was told.
        let spec = services.get(&service)?;
        let on_stdin = match &spec.stdin {
            Stdin::Socket(name) => Some(name),
            Stdin::Null | Stdin::Hold => None,
        };
        let is_gateway = self.file.service.get(name).is_some_and(super::is_gateway);
        let streams = spec.sockets.iter().chain(on_stdin).filter_map(|name| sockets.get(name));
        let streams: Vec<_> = streams.filter(|socket| is_stream(&socket.listen)).collect();
        let names: Vec<_> = streams.iter().map(|socket| socket.name.as_str()).collect();
        let refuse = |message: String| Problem::error(text.span.clone(), message);
        let found = match (wanted, streams.as_slice()) {
            _ if is_gateway => Err(refuse(format!("service.{name} is a gateway: requests would go round"))),
            (_, []) => Err(refuse(format!(
                "service.{name} has no socket for connections: requests could not reach it"
            ))
            .hint(format!(
                "write [socket.{name}] with `listen`, and sockets = [\"{name}\"] in [service.{name}]"
            ))),
            (None, [only]) => Ok(*only),
            (None, _) => Err(refuse(format!("service.{name} has several sockets: {}", names.join(", ")))
                .hint(format!("write which: \"service:{name}/{}\"", names.first().unwrap_or(&"")))),
            (Some(wanted), _) => {
                streams.iter().find(|socket| socket.name.as_str() == wanted).copied().ok_or_else(|| {
                    refuse(format!("service.{name} has no socket named {wanted:?}"))
                        .nearest(nearest(wanted, names.iter().copied()))
                })
            }
        };
        match found {
            Ok(socket) => Some((service, socket.name.clone(), socket.listen.clone())),
            Err(problem) => {
                self.problems.push(problem);
                None
            }
        }
    }
}

fn is_stream(address: &Address) -> bool {
    match address {
        Address::Tcp(_)
        | Address::TcpHost { .. }
        | Address::UnixStream(_)
        | Address::Abstract(_)
        // What they are shows when they are there.
        | Address::Systemd(_)
        | Address::Fd(_) => true,
        Address::Udp(_) | Address::UnixDatagram(_) | Address::UnixSeqpacket(_) => false,
    }
}
