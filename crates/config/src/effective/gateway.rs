//! The gateway as the tables it came from.

use std::collections::BTreeMap;

use remuda_model::gateway::{
    AcmeSpec, CertificateSpec, CompressSpec, EjectionSpec, GatewaySpec, HashKey, HealthSpec, LimitSpec,
    RetrySpec, TimeoutSpec, TlsSpec, UpstreamBalance, UpstreamServers, UpstreamSpec,
};

use super::{path, some, time};
use crate::raw::{self, Field, Located};

mod route;

pub(super) use route::route;

pub(super) fn gateway(spec: &GatewaySpec) -> raw::Gateway {
    raw::Gateway {
        trusted_proxies: some(spec.trusted_proxies.iter().map(|range| (*range).into()).collect()),
        proxy_protocol: texts(spec.proxy_protocol.iter().map(|name| name.as_str())),
        h2c: some(spec.h2c),
        access_log: some(raw::AccessLog::Table(raw::AccessLogTable {
            format: some(spec.access_log.format),
            sample: some(raw::Percent(spec.access_log.sample_percent)),
        })),
        compress: compress(&spec.compress),
        server: some(spec.server.clone()),
        docs: Some(raw::Docs {
            title: some(spec.title.clone()),
            version: some(spec.version.clone()),
            description: spec.description.clone().and_then(some),
        }),
        limits: Some(limits(&spec.limits)),
        timeouts: Some(timeouts(&spec.timeouts)),
        tls: spec.tls.as_ref().map(tls),
    }
}

fn limits(spec: &LimitSpec) -> raw::GatewayLimits {
    raw::GatewayLimits {
        connections: some(spec.connections),
        connections_per_address: some(spec.connections_per_address),
        requests_per_connection: some(spec.requests_per_connection),
        head: some(raw::Size(spec.head_bytes.into())),
        target: some(raw::Size(spec.target_bytes.into())),
        headers: some(spec.headers),
        body: some(raw::Size(spec.body_bytes)),
        kept_body: some(raw::Size(spec.kept_body_bytes)),
        trailers: some(raw::Size(spec.trailer_bytes.into())),
        http2_streams: some(spec.http2_streams),
        http2_headers: some(raw::Size(spec.http2_header_list_bytes.into())),
        http2_resets: some(spec.http2_resets),
        rate_keys: some(spec.rate_keys),
    }
}

fn timeouts(spec: &TimeoutSpec) -> raw::GatewayTimeouts {
    raw::GatewayTimeouts {
        header: time(spec.header),
        handshake: time(spec.handshake),
        body_grace: time(spec.body_grace),
        body_rate: some(spec.body_rate),
        idle: time(spec.idle),
        send: time(spec.send),
        linger: time(spec.linger),
        drain_idle: time(spec.drain_idle),
    }
}

fn tls(spec: &TlsSpec) -> raw::Tls {
    raw::Tls {
        sockets: texts(spec.sockets.iter().map(|name| name.as_str())),
        min_version: some(spec.min_version),
        http2: some(spec.http2),
        redirect: some(spec.redirect),
        hsts: spec.hsts.and_then(|seconds| time(std::time::Duration::from_secs(seconds))),
        client: spec.client.as_ref().map(|client| raw::ClientCertificate {
            authorities: path(&client.authorities),
            required: some(client.required),
            hosts: texts(client.hosts.iter().map(|host| host.as_str())),
        }),
    }
}

pub(super) fn compress(spec: &CompressSpec) -> Field<raw::Compress> {
    some(raw::Compress::Table(raw::CompressTable {
        encodings: some(spec.encodings.iter().map(|encoding| (*encoding).into()).collect()),
        min: some(raw::Size(spec.min)),
        types: texts(spec.types.iter().map(String::as_str)),
    }))
}

pub(super) fn certificate(spec: &CertificateSpec) -> Located<raw::Certificate> {
    Located::from(raw::Certificate {
        certificate: path(&spec.certificate),
        key: path(&spec.key),
        hosts: texts(spec.hosts.iter().map(|host| host.as_str())),
    })
}

pub(super) fn acme(spec: &AcmeSpec) -> raw::Acme {
    raw::Acme {
        hosts: texts(spec.hosts.iter().map(String::as_str)),
        terms_agreed: some(spec.terms_agreed),
        contacts: texts(spec.contacts.iter().map(String::as_str)),
        directory: some(spec.directory.clone()),
        challenges: some(spec.challenges.iter().map(|challenge| (*challenge).into()).collect()),
        profile: spec.profile.clone().and_then(some),
        external_account: spec.external_account.as_ref().map(|account| raw::ExternalAccount {
            key_id: some(account.key_id.clone()),
            key_file: path(&account.key_file),
        }),
        authorities: spec.authorities.as_deref().and_then(path),
        state: path(&spec.state_dir),
    }
}

/// Those that have a name; the others are made of what routes say.
pub(super) fn upstreams(spec: &GatewaySpec) -> BTreeMap<Located<String>, raw::Upstream> {
    let named = spec.upstreams.iter().filter_map(|(key, spec)| Some((key.strip_prefix("upstream:")?, spec)));
    named.map(|(name, spec)| (name.into(), upstream(spec))).collect()
}

fn upstream(spec: &UpstreamSpec) -> raw::Upstream {
    let (service, servers) = match &spec.servers {
        UpstreamServers::Service { service, socket, .. } => (some(format!("{service}/{socket}")), None),
        UpstreamServers::Listed(servers) => {
            let server = |server: &remuda_model::gateway::UpstreamServer| {
                raw::Server::Table(raw::ServerTable {
                    address: some(server.address.to_string()),
                    weight: some(server.weight),
                })
            };
            (None, some(servers.iter().map(|each| server(each).into()).collect()))
        }
    };
    raw::Upstream {
        service,
        servers,
        protocol: some(spec.protocol),
        tls: spec.tls.as_ref().and_then(|tls| {
            some(raw::ServerTls::Table(raw::ServerTlsTable {
                name: tls.name.clone().and_then(some),
                authorities: tls.authorities.as_deref().and_then(path),
                verify: some(tls.verify),
            }))
        }),
        balance: some(balance(&spec.balance)),
        concurrency: spec.concurrency.and_then(some),
        inflight_max: spec.inflight_max.and_then(some),
        queue_max: some(spec.queue_max),
        queue_wait: time(spec.queue_wait),
        buffer_request: some(spec.buffer_request),
        buffer_memory: some(raw::Size(spec.buffer_memory)),
        connect: spec.connect.and_then(time),
        first_byte: time(spec.first_byte),
        idle: time(spec.idle),
        keep_alive: time(spec.keep_alive),
        keep_alive_max: some(spec.keep_alive_max),
        host: spec.host.clone().and_then(some),
        health: spec.health.as_ref().and_then(health),
        ejection: Some(ejection(spec.ejection)),
        retry: Some(retry(spec.retry)),
        slow_start: time(spec.slow_start),
        proxy_protocol: spec.proxy_protocol.and_then(some),
    }
}

fn balance(balance: &UpstreamBalance) -> String {
    match balance {
        UpstreamBalance::TwoChoices => "two-choices".to_owned(),
        UpstreamBalance::Latency => "latency".to_owned(),
        UpstreamBalance::RoundRobin => "round-robin".to_owned(),
        UpstreamBalance::Least => "least".to_owned(),
        UpstreamBalance::Hash(HashKey::Address) => "hash:address".to_owned(),
        UpstreamBalance::Hash(HashKey::Path) => "hash:path".to_owned(),
        UpstreamBalance::Hash(HashKey::Header(name)) => format!("hash:header:{name}"),
        UpstreamBalance::Hash(HashKey::Cookie(name)) => format!("hash:cookie:{name}"),
    }
}

fn health(spec: &HealthSpec) -> Field<raw::Health> {
    let (from, to) = spec.statuses;
    some(raw::Health::Table(raw::HealthTable {
        path: some(spec.path.clone()),
        host: spec.host.clone().and_then(some),
        every: time(spec.every),
        timeout: time(spec.timeout),
        rise: some(spec.rise),
        fall: some(spec.fall),
        statuses: some(format!("{from}-{to}")),
    }))
}

fn ejection(spec: EjectionSpec) -> raw::Ejection {
    raw::Ejection {
        failures: some(spec.failures),
        time: time(spec.time),
        max: some(raw::Percent(spec.max_percent)),
    }
}

fn retry(spec: RetrySpec) -> raw::Retry {
    raw::Retry {
        attempts: some(spec.attempts),
        budget: some(raw::Percent(spec.budget_percent)),
        budget_per_second: some(spec.budget_per_second),
    }
}

/// Texts, or nothing where there are none.
fn texts<'a>(texts: impl IntoIterator<Item = &'a str>) -> Field<raw::Texts> {
    let texts: Vec<_> = texts.into_iter().map(Located::from).collect();
    if texts.is_empty() { None } else { some(raw::Texts(texts)) }
}
