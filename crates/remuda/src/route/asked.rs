//! The request that is asked about, from what somebody has written.

use remuda_control::RouteQuestion;
use remuda_gateway::routes::Subject;
use remuda_model::gateway::HostPattern;
use remuda_wire::http::{Fields, normalize};

/// A request, taken apart.
#[derive(Debug)]
pub(super) struct Asked {
    is_secure: bool,
    host: String,
    /// As it was written.
    path: String,
    /// In normal form.
    normal: Vec<u8>,
    query: Option<String>,
    fields: Fields,
}

impl Asked {
    /// In a sentence, why it is no request.
    pub(super) fn parse(question: &RouteQuestion) -> Result<Self, String> {
        let url = question.url.as_str();
        let (is_secure, host, rest) = match url.split_once("://") {
            Some((scheme @ ("http" | "https"), rest)) => {
                let end = rest.find(['/', '?']).unwrap_or(rest.len());
                (scheme == "https", &rest[..end], &rest[end..])
            }
            None if url.starts_with('/') => (false, question.host.as_str(), url),
            _ => return Err(format!("{url:?} is no URL")),
        };
        if !is_host(host) {
            return Err(format!("{host:?} is no host"));
        }
        let rest = rest.split('#').next().unwrap_or_default();
        let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
        let path = if path.is_empty() { "/" } else { path };
        let mut normal = Vec::new();
        let changed =
            normalize(path.as_bytes(), &mut normal).map_err(|why| format!("{path:?} is no path: {why}"))?;
        if !changed {
            normal = path.as_bytes().to_vec();
        }
        let mut fields = Fields::new();
        for (name, value) in &question.headers {
            fields.append(name, value);
        }
        let (host, path, query) = (host.to_owned(), path.to_owned(), query.map(str::to_owned));
        Ok(Self { is_secure, host, path, normal, query, fields })
    }

    pub(super) fn subject<'a>(&'a self, question: &'a RouteQuestion, socket: &'a str) -> Subject<'a> {
        Subject {
            method: &question.method,
            host: self.host.as_bytes(),
            path: &self.normal,
            query: self.query.as_deref().map(str::as_bytes),
            fields: &self.fields,
            source: Some(question.from),
            is_secure: self.is_secure,
            socket,
        }
    }

    pub(super) fn uri(&self) -> String {
        match &self.query {
            Some(query) => format!("{}?{query}", self.path),
            None => self.path.clone(),
        }
    }

    /// The whole URL.
    pub(super) fn shown(&self) -> String {
        format!("{}://{}{}", if self.is_secure { "https" } else { "http" }, self.host, self.uri())
    }
}

/// Whether `text` names one host, perhaps with a port.
fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !text.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let is_name = !name.starts_with('*') && name.parse::<HostPattern>().is_ok();
    is_name && port.is_none_or(|port| port.parse::<u16>().is_ok())
}
