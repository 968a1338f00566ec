//! `[gateway]`, `[[route]]`, `[upstream.NAME]`, `[[certificate]]` and `[acme]`: what all services of kind `gateway` do.
//!
//! They become one [`GatewaySpec`], which each gateway service has as its kind: what is changed here changes these services
//! and no others. Everything that can be known when a config is read is checked then, down to the files it names, because
//! a gateway that starts with less than it was told is worse than one that does not start.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use remuda_model::gateway::{
    AccessLogFormat, AccessLogSpec, CompressSpec, Encoding, GATEWAY, GatewaySpec, HostPattern, LimitSpec,
    TimeoutSpec,
};
use remuda_model::{InstanceSpec, Kind, SocketName};

use super::{Resolution, Services, Sockets, or};
use crate::raw::{self, Field, Located, Span};
use crate::report::Problem;
use crate::source::Sources;

mod action;
mod check;
mod realtime;
mod route;
mod shadow;
mod target;
mod tls;
mod upstream;
mod words;

pub(super) use upstream::Upstreams;

/// What a worker runs: this very program, wherever it lies by then.
const COMMAND: [&str; 3] = ["/proc/self/exe", "worker", GATEWAY];
/// What its watchdog waits for where the config does not say.
const WATCHDOG: Duration = Duration::from_secs(30);
/// Each route is looked at when a config is read, and takes memory in each worker.
const ROUTES_MOST: usize = 10_000;
/// Most of a number that is a count of something held in memory.
const COUNT_MOST: u32 = 10_000_000;

/// What routes are resolved against.
struct Surface<'a> {
    sockets: &'a Sockets,
    services: &'a Services,
    upstreams: Upstreams,
}

impl Resolution<'_> {
    /// A gateway as it would be written as a command.
    pub(super) fn gateway_service(&mut self, name: &Located<String>, raw: &raw::Service) -> raw::Service {
        let spans = [
            ("command", raw.command.as_ref().map(|field| &field.span)),
            ("shell", raw.shell.as_ref().map(|field| &field.span)),
            ("stdin", raw.stdin.as_ref().map(|field| &field.span)),
            ("ready", raw.ready.as_ref().map(|field| &field.span)),
            ("schedule", raw.schedule.as_ref().map(|field| &field.span)),
            ("oneshot", raw.oneshot.as_ref().map(|field| &field.span)),
        ];
        for (key, span) in spans {
            if let Some(span) = span {
                let message = format!("service.{} is a gateway, which has no `{key}`", name.value);
                self.problems.push(Problem::error(span.clone(), message).hint("leave it out"));
            }
        }
        if raw.sockets.as_ref().is_none_or(|sockets| sockets.is_empty()) {
            let message =
                format!("service.{} is a gateway without a socket: nobody could reach it", name.value);
            let problem = Problem::error(name.span.clone(), message);
            self.problems
                .push(problem.hint("write [socket.http] with `listen`, and here sockets = [\"http\"]"));
        }
        raw::Service {
            command: Some(raw::Command::Words(COMMAND.map(Located::from).to_vec()).into()),
            ready: Some("notify".to_owned().into()),
            watchdog: Some(raw.watchdog.clone().unwrap_or_else(|| raw::Duration(WATCHDOG).into())),
            shell: None,
            stdin: None,
            schedule: None,
            oneshot: None,
            ..raw.clone()
        }
    }

    /// Gives the gateway services their kind.
    pub(super) fn gateway(&mut self, instance: &InstanceSpec, sockets: &Sockets, services: &mut Services) {
        let names: Vec<_> = self.gateway_services().map(|(name, _)| name.value.clone()).collect();
        if names.is_empty() {
            return self.gatewayless();
        }
        let raw = self.file.gateway.as_ref().map(|gateway| gateway.value.clone()).unwrap_or_default();
        let mut spec = self.table("gateway", |this| this.gateway_table(&raw, instance, sockets));
        let upstreams = self.upstreams(sockets, services);
        let mut surface = Surface { sockets, services, upstreams };
        spec.routes = self.routes(&mut surface);
        spec.upstreams = surface.upstreams.into_specs();
        self.certificates(&mut spec);
        spec.acme = self.table("acme", |this| this.acme(instance));
        self.tls_has_certificates(&spec, &raw);
        if spec.routes.is_empty() && self.file.route.is_empty() {
            let span = self.gateway_services().next().and_then(|(name, _)| name.span.clone());
            let problem = Problem::warning(span, "there is no route: everything is answered with 404");
            self.problems
                .push(problem.hint("write [[route]] with `match`, and `files`, `to` or another action"));
        }
        let spec = Arc::new(spec);
        for service in
            services.values_mut().filter(|service| names.iter().any(|name| name == service.name.as_str()))
        {
            service.kind = Kind::Gateway(Arc::clone(&spec));
        }
    }

    fn gateway_services(&self) -> impl Iterator<Item = (&Located<String>, &raw::Service)> {
        self.file.service.iter().filter(|(_, raw)| is_gateway(raw))
    }

    /// Sockets that gateway services inherit.
    fn gateway_sockets(&self) -> impl Iterator<Item = &str> {
        let listed = self.gateway_services().flat_map(|(_, raw)| raw.sockets.iter());
        listed.flat_map(|list| &list.value).map(|text| text.as_str())
    }

    /// Without a gateway, nothing can be said about one.
    fn gatewayless(&mut self) {
        const HINT: &str = "write a service for it: [service.edge] with kind = \"gateway\" and its sockets";
        if self.cut.iter().any(|(section, _)| section == "service") {
            return;
        }
        let file = self.file;
        let tables = [
            ("[gateway] says", file.gateway.as_ref().map(|table| table.span.clone())),
            ("[[route]] says", file.route.first().map(|route| route.span.clone())),
            ("[upstream] says", file.upstream.keys().next().map(|name| name.span.clone())),
            ("[[certificate]] says", file.certificate.first().map(|table| table.span.clone())),
            ("[acme] says", file.acme.as_ref().map(|table| table.span.clone())),
        ];
        for (words, span) in tables {
            if let Some(span) = span {
                let message = format!("{words} what the gateway does, and no service is one");
                self.problems.push(Problem::error(span, message).hint(HINT));
            }
        }
    }

    fn gateway_table(
        &mut self,
        raw: &raw::Gateway,
        instance: &InstanceSpec,
        sockets: &Sockets,
    ) -> GatewaySpec {
        let docs = raw.docs.clone().unwrap_or_default();
        let server = or(&raw.server, "remuda".to_owned());
        if !is_header_value(&server) {
            let span = raw.server.as_ref().and_then(|server| server.span.clone());
            self.error(span.as_ref(), "the value of a header has no control characters");
        }
        GatewaySpec {
            limits: self.gateway_limits(&raw.limits.clone().unwrap_or_default()),
            timeouts: self.gateway_timeouts(&raw.timeouts.clone().unwrap_or_default()),
            trusted_proxies: raw
                .trusted_proxies
                .iter()
                .flat_map(|list| &list.value)
                .map(|range| range.value)
                .collect(),
            proxy_protocol: self.own_sockets(&raw.proxy_protocol),
            tls: raw.tls.as_ref().map(|tls| self.tls(tls, sockets)),
            h2c: or(&raw.h2c, false),
            access_log: self.access_log(raw.access_log.as_ref()),
            compress: raw.compress.as_ref().map_or_else(CompressSpec::off, |raw| self.compress(raw)),
            server,
            title: or(&docs.title, instance.name.clone()),
            version: or(&docs.version, "1".to_owned()),
            description: docs.description.map(|text| text.value),
            ..GatewaySpec::default()
        }
    }

    fn gateway_limits(&mut self, raw: &raw::GatewayLimits) -> LimitSpec {
        let default = LimitSpec::default();
        let head = |size: &raw::Size| (1 << 10..=1 << 20).contains(&size.0);
        self.demand(&raw.head, head, "a head has from 1KiB to 1MiB");
        let target = |size: &raw::Size| (64..=1 << 20).contains(&size.0);
        self.demand(&raw.target, target, "a target has from 64 bytes to 1MiB");
        self.demand(
            &raw.headers,
            |count| (8..=1000).contains(count),
            "a request has 8 to 1000 headers at most",
        );
        let kept = |size: &raw::Size| (1..=64 << 20).contains(&size.0);
        self.demand(&raw.kept_body, kept, "what is kept whole has from 1 byte to 64MiB");
        let trailers = |size: &raw::Size| size.0 <= 1 << 20;
        self.demand(&raw.trailers, trailers, "trailers have 1MiB at most");
        let streams = |count: &u32| (1..=10_000).contains(count);
        self.demand(&raw.http2_streams, streams, "a connection has 1 to 10000 streams");
        let list = |size: &raw::Size| (1 << 10..=1 << 20).contains(&size.0);
        self.demand(&raw.http2_headers, list, "headers have from 1KiB to 1MiB");
        self.demand(&raw.http2_resets, |count| *count > 0, "at least one stream may be reset");
        self.demand(
            &raw.rate_keys,
            |count| (1..=COUNT_MOST).contains(count),
            "1 to 10000000 clients are remembered",
        );
        let size = |field: &Field<raw::Size>, default: u64| field.as_ref().map_or(default, |size| size.0);
        let short = |field: &Field<raw::Size>, default: u32| {
            field.as_ref().map_or(default, |size| u32::try_from(size.0).unwrap_or(u32::MAX))
        };
        LimitSpec {
            connections: or(&raw.connections, default.connections),
            connections_per_address: or(&raw.connections_per_address, default.connections_per_address),
            requests_per_connection: or(&raw.requests_per_connection, default.requests_per_connection),
            head_bytes: short(&raw.head, default.head_bytes),
            target_bytes: short(&raw.target, default.target_bytes),
            headers: or(&raw.headers, default.headers),
            body_bytes: size(&raw.body, default.body_bytes),
            kept_body_bytes: size(&raw.kept_body, default.kept_body_bytes),
            trailer_bytes: short(&raw.trailers, default.trailer_bytes),
            http2_streams: or(&raw.http2_streams, default.http2_streams),
            http2_header_list_bytes: short(&raw.http2_headers, default.http2_header_list_bytes),
            http2_resets: or(&raw.http2_resets, default.http2_resets),
            rate_keys: or(&raw.rate_keys, default.rate_keys),
        }
    }

    fn gateway_timeouts(&mut self, raw: &raw::GatewayTimeouts) -> TimeoutSpec {
        let default = TimeoutSpec::default();
        TimeoutSpec {
            header: self.time(&raw.header, default.header),
            handshake: self.time(&raw.handshake, default.handshake),
            body_grace: self.time(&raw.body_grace, default.body_grace),
            body_rate: or(&raw.body_rate, default.body_rate),
            idle: self.time(&raw.idle, default.idle),
            send: self.time(&raw.send, default.send),
            linger: self.time(&raw.linger, default.linger),
            drain_idle: self.time(&raw.drain_idle, default.drain_idle),
        }
    }

    fn access_log(&mut self, raw: Option<&Located<raw::AccessLog>>) -> AccessLogSpec {
        let Some(raw) = raw else { return AccessLogSpec::default() };
        match &raw.value {
            raw::AccessLog::Text(text) => {
                let format = match text.as_str() {
                    "off" => AccessLogFormat::Off,
                    "json" => AccessLogFormat::Json,
                    "combined" => AccessLogFormat::Combined,
                    other => {
                        let message =
                            format!("{other:?} is no access log; write \"off\", \"json\" or \"combined\"");
                        self.error(raw.span.as_ref(), message);
                        AccessLogFormat::Off
                    }
                };
                AccessLogSpec { format, ..AccessLogSpec::default() }
            }
            raw::AccessLog::Table(table) => {
                let part = |percent: &raw::Percent| (1..=100).contains(&percent.0);
                self.demand(&table.sample, part, "a sample is \"1%\" to \"100%\"");
                AccessLogSpec {
                    format: or(&table.format, AccessLogFormat::Json),
                    sample_percent: table.sample.as_ref().map_or(100, |percent| percent.0),
                }
            }
        }
    }

    fn compress(&mut self, raw: &Located<raw::Compress>) -> CompressSpec {
        let written = match &raw.value {
            raw::Compress::Encodings(list) => list.as_slice(),
            raw::Compress::Table(table) => {
                table.encodings.as_ref().map_or(&[][..], |list| list.value.as_slice())
            }
            raw::Compress::Flag(_) => &[],
        };
        for item in written.iter().filter(|item| item.value == Encoding::Zstd) {
            let message = "answers are not compressed as `zstd` on their way; files that lie beside as `.zst` are \
                           sent (`precompressed`), and here it is `br` or `gzip`";
            self.error(item.span.as_ref(), message);
        }
        let encodings = |list: &[Located<Encoding>]| list.iter().map(|item| item.value).collect();
        match &raw.value {
            raw::Compress::Flag(true) => CompressSpec::on(),
            raw::Compress::Flag(false) => CompressSpec::off(),
            raw::Compress::Encodings(list) => {
                CompressSpec { encodings: encodings(list), ..CompressSpec::on() }
            }
            raw::Compress::Table(table) => {
                let default = CompressSpec::on();
                let types = self.types(&table.types);
                CompressSpec {
                    encodings: table.encodings.as_ref().map_or(default.encodings, |list| encodings(list)),
                    min: table.min.as_ref().map_or(default.min, |size| size.0),
                    types: if table.types.is_some() { types } else { default.types },
                }
            }
        }
    }

    /// Sockets of the gateway services.
    fn own_sockets(&mut self, texts: &Field<raw::Texts>) -> Vec<SocketName> {
        let mut names = Vec::new();
        for text in listed(texts) {
            let Some(name) = self.known_socket(&text) else { continue };
            if self.file.socket.contains_key(text.as_str())
                && !self.gateway_sockets().any(|own| own == text.as_str())
            {
                let message = format!("no gateway service inherits socket.{name}");
                self.error(text.span.as_ref(), message);
            }
            names.push(name);
        }
        names
    }

    fn hosts(&mut self, texts: &Field<raw::Texts>) -> Vec<HostPattern> {
        listed(texts).iter().filter_map(|text| self.word::<HostPattern>(text)).collect()
    }

    /// A file that must be there, and small enough to be read.
    fn file_text(
        &mut self,
        written: &Located<String>,
        what: &str,
        bytes_max: usize,
    ) -> Option<(PathBuf, String)> {
        let path = self.path(written);
        match read_small(&path, bytes_max) {
            Ok(text) => Some((path, text)),
            Err(why) => {
                self.error(written.span.as_ref(), format!("{what} {} cannot be read: {why}", path.display()));
                None
            }
        }
    }

    /// A file that must be there; what is in it is its reader's to judge.
    fn file_there(&mut self, written: &Located<String>, what: &str) -> PathBuf {
        let path = self.path(written);
        let found = path.metadata().map_err(|why| why.to_string());
        let is_file =
            found.and_then(
                |found| if found.is_file() { Ok(()) } else { Err("it is not a regular file".to_owned()) },
            );
        if let Err(why) = is_file {
            self.error(written.span.as_ref(), format!("{what} {} cannot be used: {why}", path.display()));
        }
        path
    }
}

/// The lines in which routes are written.
pub(super) fn lines(file: &raw::File, sources: &Sources) -> Vec<Option<usize>> {
    let line = |raw: &Located<raw::Route>| {
        let span = span_of(&raw.pattern).or_else(|| raw.span.clone())?;
        Some(sources.place(&span)?.line)
    };
    file.route.iter().map(line).collect()
}

/// Whether a service is a gateway.
pub(super) fn is_gateway(raw: &raw::Service) -> bool {
    raw.kind.as_ref().is_some_and(|kind| kind.value == raw::Kind::Gateway)
}

/// The texts of a field, each with its place: one alone has that of the field.
fn listed(field: &Field<raw::Texts>) -> Vec<Located<String>> {
    let Some(field) = field else { return Vec::new() };
    let place = |text: &Located<String>| text.span.clone().or_else(|| field.span.clone());
    field.0.iter().map(|text| Located { value: text.value.clone(), span: place(text) }).collect()
}

fn span_of<T>(field: &Field<T>) -> Option<Span> {
    field.as_ref().and_then(|field| field.span.clone())
}

/// Whether a text may be the value of a header (RFC 9110, 5.5), of ASCII alone.
fn is_header_value(text: &str) -> bool {
    text.bytes().all(|byte| byte == b'\t' || (b' '..0x7f).contains(&byte)) && text.trim() == text
}

fn read_small(path: &Path, bytes_max: usize) -> Result<String, String> {
    let found = path.metadata().map_err(|why| why.to_string())?;
    // A pipe would hold us up.
    if !found.is_file() {
        return Err("it is not a regular file".to_owned());
    }
    if usize::try_from(found.len()).map_or(true, |length| length > bytes_max) {
        return Err(format!("it is larger than {bytes_max} bytes"));
    }
    std::fs::read_to_string(path).map_err(|why| why.to_string())
}
