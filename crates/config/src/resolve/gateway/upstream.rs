//! `[upstream.NAME]`.

use std::collections::BTreeMap;

use remuda_model::gateway::{
    EjectionSpec, HashKey, HeaderName, HealthSpec, RetrySpec, ServerAddress, UpstreamBalance,
    UpstreamProtocol, UpstreamServer, UpstreamServers, UpstreamSpec, UpstreamTls,
};
use remuda_model::{ServiceName, SocketName};

use super::COUNT_MOST;
use crate::nearest::nearest;
use crate::raw::{self, Field, Located};
use crate::report::Problem;
use crate::resolve::{Resolution, Services, Sockets, or};

/// Servers of one upstream, at most: each request may look at all of them.
const SERVERS_MOST: usize = 1000;

/// All upstreams, by key: those of the file, and those that routes name directly.
#[derive(Debug, Default)]
pub(in crate::resolve) struct Upstreams(BTreeMap<String, UpstreamSpec>);

/// The key of a service's own upstream.
pub(super) fn service_key(service: &ServiceName, socket: &SocketName) -> String {
    format!("service:{service}/{socket}")
}

impl Upstreams {
    pub(super) fn insert(&mut self, key: String, spec: UpstreamSpec) {
        self.0.entry(key).or_insert(spec);
    }

    /// Upstreams of the file for a service's socket.
    pub(super) fn of_service(&self, wanted: &ServiceName, through: &SocketName) -> Vec<String> {
        let is_for = |spec: &UpstreamSpec| match &spec.servers {
            UpstreamServers::Service { service, socket, .. } => service == wanted && socket == through,
            UpstreamServers::Listed(_) => false,
        };
        let own = self.0.iter().filter(|(key, spec)| key.starts_with("upstream:") && is_for(spec));
        own.map(|(key, _)| key.clone()).collect()
    }

    pub(super) fn into_specs(self) -> BTreeMap<String, UpstreamSpec> {
        self.0
    }
}

impl Resolution<'_> {
    pub(super) fn upstreams(&mut self, sockets: &Sockets, services: &Services) -> Upstreams {
        let mut upstreams = Upstreams::default();
        let file = self.file;
        for (name, raw) in &file.upstream {
            // Names are like those of services.
            let checked = self.name(name, "upstream", ServiceName::new(name));
            let spec = self.section("upstream", name, |this| this.upstream(name, raw, sockets, services));
            if let (Some(name), Some(spec)) = (checked, spec) {
                upstreams.insert(format!("upstream:{name}"), spec);
            }
        }
        upstreams
    }

    fn upstream(
        &mut self,
        name: &Located<String>,
        raw: &raw::Upstream,
        sockets: &Sockets,
        services: &Services,
    ) -> Option<UpstreamSpec> {
        let servers = match (&raw.service, &raw.servers) {
            (Some(service), None) => {
                let (service, socket, listen) = self.service_socket(service, sockets, services)?;
                UpstreamServers::Service { service, socket, listen }
            }
            (None, Some(servers)) if !servers.is_empty() => self.servers(servers),
            (service, servers) => {
                let both = service.is_some() && servers.is_some();
                let words =
                    if both { "both `service` and `servers`" } else { "neither `servers` nor `service`" };
                let problem =
                    Problem::error(name.span.clone(), format!("upstream.{} has {words}", name.value));
                self.problems.push(problem.hint("write one: servers = [\"127.0.0.1:9000\"]"));
                return None;
            }
        };
        self.upstream_ranges(raw);
        if let (Some(protocol), Some(header)) = (&raw.protocol, &raw.proxy_protocol)
            && protocol.value == UpstreamProtocol::Http2
        {
            let problem = Problem::error(
                header.span.clone(),
                "connections of HTTP/2 carry requests of all clients, and the PROXY protocol names one",
            );
            self.problems.push(problem.hint("leave out `proxy_protocol`, or write protocol = \"http1\""));
        }
        let tls = self.server_tls(raw.tls.as_ref());
        if let Some(spec) = &tls {
            self.tls_fits(raw, &servers, spec);
        }
        let default = UpstreamSpec::new(servers);
        Some(UpstreamSpec {
            protocol: or(&raw.protocol, UpstreamProtocol::default()),
            tls,
            balance: raw
                .balance
                .as_ref()
                .map_or_else(UpstreamBalance::default, |text| self.upstream_balance(text)),
            concurrency: raw.concurrency.as_ref().map(|count| count.value),
            inflight_max: raw.inflight_max.as_ref().map(|count| count.value),
            queue_max: or(&raw.queue_max, default.queue_max),
            queue_wait: self.time(&raw.queue_wait, default.queue_wait),
            buffer_request: or(&raw.buffer_request, default.buffer_request),
            buffer_memory: raw.buffer_memory.as_ref().map_or(default.buffer_memory, |size| size.0),
            connect: self.optional_time(&raw.connect),
            first_byte: self.time(&raw.first_byte, default.first_byte),
            idle: raw.idle.as_ref().map_or(default.idle, |time| time.0),
            keep_alive: raw.keep_alive.as_ref().map_or(default.keep_alive, |time| time.0),
            keep_alive_max: or(&raw.keep_alive_max, default.keep_alive_max),
            host: raw.host.as_ref().and_then(|text| self.told_host(text)),
            health: raw.health.as_ref().map(|health| self.health(health)),
            ejection: self.ejection(raw.ejection.as_ref()),
            retry: self.retry(raw.retry.as_ref()),
            slow_start: raw.slow_start.as_ref().map_or(default.slow_start, |time| time.0),
            proxy_protocol: raw.proxy_protocol.as_ref().map(|version| version.value),
            servers: default.servers,
        })
    }

    fn tls_fits(&mut self, raw: &raw::Upstream, servers: &UpstreamServers, spec: &UpstreamTls) {
        let span = raw.tls.as_ref().and_then(|tls| tls.span.clone());
        if let Some(header) = &raw.proxy_protocol {
            let problem = Problem::error(
                header.span.clone(),
                "the PROXY protocol is not spoken before TLS towards servers",
            );
            self.problems.push(problem.hint("leave out `proxy_protocol`, or `tls`"));
        }
        let has_host = match servers {
            UpstreamServers::Service { .. } => false,
            UpstreamServers::Listed(servers) => {
                servers.iter().all(|server| matches!(server.address, ServerAddress::Tcp { .. }))
            }
        };
        if spec.name.is_none() && !has_host {
            let problem =
                Problem::error(span, "a service, or a server on a Unix socket, has no name of its own");
            self.problems
                .push(problem.hint("say whose certificate it has: tls = { name = \"api.internal\" }"));
        }
    }

    fn upstream_ranges(&mut self, raw: &raw::Upstream) {
        let some = |count: &u32| (1..=COUNT_MOST).contains(count);
        for field in [&raw.concurrency, &raw.inflight_max] {
            self.demand(field, some, "this is a number from 1 to 10000000");
        }
        self.demand(&raw.queue_max, |count| *count <= COUNT_MOST, "a queue has room for 10000000 at most");
        self.demand(&raw.buffer_memory, |size| size.0 <= 64 << 20, "64MiB of a body stay in memory at most");
        self.demand(&raw.keep_alive_max, |count| *count <= 100_000, "100000 connections are kept at most");
    }

    fn servers(&mut self, list: &Located<Vec<Located<raw::Server>>>) -> UpstreamServers {
        if list.len() > SERVERS_MOST {
            self.error(
                list.span.as_ref(),
                format!("{} servers are more than the {SERVERS_MOST} that are possible", list.len()),
            );
        }
        let mut servers: Vec<UpstreamServer> = Vec::new();
        for written in list.iter().take(SERVERS_MOST) {
            let (address, weight) = match &written.value {
                raw::Server::Text(text) => (written.with(text.clone()), 1),
                raw::Server::Table(table) => {
                    self.demand(
                        &table.weight,
                        |weight| (1..=1000).contains(weight),
                        "a weight is a number from 1 to 1000",
                    );
                    let Some(address) = &table.address else {
                        self.error(written.span.as_ref(), "this server has no `address`");
                        continue;
                    };
                    (address.clone(), or(&table.weight, 1))
                }
            };
            let Some(parsed) = self.word::<ServerAddress>(&address) else { continue };
            let parsed = match parsed {
                ServerAddress::Unix(path) => ServerAddress::Unix(self.folder.join(path)),
                other => other,
            };
            if servers.iter().any(|other| other.address == parsed) {
                self.error(address.span.as_ref(), format!("{parsed} is listed twice"));
            }
            servers.push(UpstreamServer { address: parsed, weight });
        }
        UpstreamServers::Listed(servers)
    }

    fn server_tls(&mut self, raw: Option<&Located<raw::ServerTls>>) -> Option<UpstreamTls> {
        let raw = raw?;
        match &raw.value {
            raw::ServerTls::Flag(false) => None,
            raw::ServerTls::Flag(true) => Some(UpstreamTls { name: None, authorities: None, verify: true }),
            raw::ServerTls::Table(table) => Some(UpstreamTls {
                name: table.name.as_ref().and_then(|name| self.told_host(name)),
                authorities: table
                    .authorities
                    .as_ref()
                    .map(|file| self.file_there(file, "the authorities of")),
                verify: or(&table.verify, true),
            }),
        }
    }

    fn upstream_balance(&mut self, text: &Located<String>) -> UpstreamBalance {
        const WORDS: [&str; 6] =
            ["two-choices", "latency", "round-robin", "least", "hash:address", "hash:path"];
        let token = |name: &str| HeaderName::new(name).ok().map(|_| name.to_owned());
        let found = match text.as_str() {
            "two-choices" => Some(UpstreamBalance::TwoChoices),
            "latency" => Some(UpstreamBalance::Latency),
            "round-robin" => Some(UpstreamBalance::RoundRobin),
            "least" => Some(UpstreamBalance::Least),
            "hash:address" => Some(UpstreamBalance::Hash(HashKey::Address)),
            "hash:path" => Some(UpstreamBalance::Hash(HashKey::Path)),
            other => match other.strip_prefix("hash:").and_then(|key| key.split_once(':')) {
                Some(("header", name)) => {
                    token(name).map(|name| UpstreamBalance::Hash(HashKey::Header(name)))
                }
                Some(("cookie", name)) => {
                    token(name).map(|name| UpstreamBalance::Hash(HashKey::Cookie(name)))
                }
                _ => None,
            },
        };
        found.unwrap_or_else(|| {
            let message = format!(
                "{:?} is no way to choose; write {}, hash:header:NAME or hash:cookie:NAME",
                text.value,
                WORDS.join(", ")
            );
            self.problems.push(Problem::error(text.span.clone(), message).nearest(nearest(text, WORDS)));
            UpstreamBalance::default()
        })
    }

    /// A host as servers are told it, perhaps with a port.
    fn told_host(&mut self, text: &Located<String>) -> Option<String> {
        let is_host = !text.is_empty()
            && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._:[]".contains(&byte));
        if !is_host {
            self.error(text.span.as_ref(), format!("{:?} is no host", text.value));
        }
        is_host.then(|| text.value.clone())
    }

    fn health(&mut self, raw: &Located<raw::Health>) -> HealthSpec {
        let table = match &raw.value {
            raw::Health::Text(path) => {
                raw::HealthTable { path: Some(raw.with(path.clone())), ..raw::HealthTable::default() }
            }
            raw::Health::Table(table) => table.clone(),
        };
        let path = table.path.clone().unwrap_or_else(|| {
            self.error(raw.span.as_ref(), "a health check has a `path`");
            Located::from("/")
        });
        if !path.starts_with('/') || path.bytes().any(|byte| !(0x21..0x7f).contains(&byte)) {
            self.error(path.span.as_ref(), format!("{:?} is no path", path.value));
        }
        for field in [&table.rise, &table.fall] {
            self.demand(field, |count| (1..=100).contains(count), "this is a number from 1 to 100");
        }
        HealthSpec {
            path: path.value,
            host: table.host.as_ref().and_then(|host| self.told_host(host)),
            every: self.time(&table.every, std::time::Duration::from_secs(2)),
            timeout: self.time(&table.timeout, std::time::Duration::from_secs(1)),
            rise: or(&table.rise, 2),
            fall: or(&table.fall, 3),
            statuses: table.statuses.as_ref().map_or((200, 399), |text| self.statuses(text)),
        }
    }

    /// `200-399`, or `204`.
    fn statuses(&mut self, text: &Located<String>) -> (u16, u16) {
        let (from, to) = text.split_once('-').unwrap_or((text, text));
        let status =
            |text: &str| text.trim().parse::<u16>().ok().filter(|status| (100..=599).contains(status));
        match (status(from), status(to)) {
            (Some(from), Some(to)) if from <= to => (from, to),
            _ => {
                let message = format!("{:?} are no statuses: write \"200-399\" or \"204\"", text.value);
                self.error(text.span.as_ref(), message);
                (200, 399)
            }
        }
    }

    fn ejection(&mut self, raw: Option<&raw::Ejection>) -> EjectionSpec {
        let (default, raw) = (EjectionSpec::default(), raw.cloned().unwrap_or_default());
        self.demand(&raw.max, |percent| percent.0 <= 100, "of the servers, \"100%\" at most");
        EjectionSpec {
            failures: or(&raw.failures, default.failures),
            time: self.time(&raw.time, default.time),
            max_percent: percent(&raw.max, default.max_percent),
        }
    }

    fn retry(&mut self, raw: Option<&raw::Retry>) -> RetrySpec {
        let (default, raw) = (RetrySpec::default(), raw.cloned().unwrap_or_default());
        self.demand(&raw.attempts, |count| *count <= 10, "a request is tried again 10 times at most");
        RetrySpec {
            attempts: or(&raw.attempts, default.attempts),
            budget_percent: percent(&raw.budget, default.budget_percent),
            budget_per_second: or(&raw.budget_per_second, default.budget_per_second),
        }
    }
}

fn percent(field: &Field<raw::Percent>, default: u32) -> u32 {
    field.as_ref().map_or(default, |percent| percent.0)
}
