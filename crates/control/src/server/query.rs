//! The query of a request, held against what its route knows.

use remuda_daemon::{LogQuery, Stream};
use remuda_model::ServiceName;

use crate::body::Text;
use crate::percent;
use crate::route::Route;
use crate::routing::RouteQuestion;

/// A query all of whose names the route knows.
#[derive(Debug)]
pub(crate) struct Query {
    parameters: Vec<(String, String)>,
}

impl Query {
    pub(crate) fn parse(route: &Route, query: Option<&str>) -> Result<Self, String> {
        let parameters = percent::parse(query.unwrap_or("")).map_err(|error| error.to_string())?;
        for (name, _) in &parameters {
            if !route.parameters.iter().any(|parameter| parameter.name == name) {
                let known: Vec<&str> = route.parameters.iter().map(|parameter| parameter.name).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(format!("{} has no parameter {name:?}; it knows {known}", route.path));
            }
        }
        Ok(Self { parameters })
    }

    fn value(&self, name: &str) -> Option<&str> {
        self.parameters.iter().rev().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// `true` when absent: every switch of the API is on by default.
    pub(crate) fn switch(&self, name: &str) -> Result<bool, String> {
        match self.value(name) {
            None | Some("true" | "1" | "") => Ok(true),
            Some("false" | "0") => Ok(false),
            Some(other) => Err(format!("{name} is true or false, not {other:?}")),
        }
    }

    pub(crate) fn number(&self, name: &str) -> Result<Option<u64>, String> {
        let Some(text) = self.value(name) else { return Ok(None) };
        let number = text.parse().ok().ok_or_else(|| format!("{name} is a number from 0, not {text:?}"))?;
        Ok(Some(number))
    }

    /// A text as it is.
    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.value(name)
    }

    /// A database of the store; 0 when absent.
    pub(crate) fn database(&self) -> Result<u32, String> {
        let number = self.number("database")?.unwrap_or(0);
        u32::try_from(number).map_err(|_large| format!("database {number} is too large"))
    }

    /// A key of the store, and its database.
    pub(crate) fn key(&self) -> Result<(Text, u32), String> {
        let key = match (self.value("key"), self.value("key_base64")) {
            (Some(text), None) => Text::Text(text.to_owned()),
            (None, Some(text)) => Text::Base64(text.to_owned()),
            _ => return Err("either \"key\" or \"key_base64\", exactly one of them".to_owned()),
        };
        Ok((key, self.database()?))
    }

    /// The request whose route is asked for.
    pub(crate) fn route_question(&self) -> Result<RouteQuestion, String> {
        let text = |name, default: &str| self.value(name).unwrap_or(default).to_owned();
        let from = text("from", "127.0.0.1");
        let headers = self.parameters.iter().filter(|(name, _)| name == "header");
        let headers = headers
            .map(|(_, value)| RouteQuestion::header(value).map_err(|why| format!("header {value:?}: {why}")));
        Ok(RouteQuestion {
            method: text("method", "GET"),
            url: self.value("url").ok_or("no \"url\": say which request")?.to_owned(),
            host: text("host", "localhost"),
            headers: headers.collect::<Result<_, _>>()?,
            from: from.parse().map_err(|_error| format!("from is an IP address, not {from:?}"))?,
            socket: self.value("socket").map(str::to_owned),
        })
    }

    /// The lines wanted; `resume` is the header that outranks `after`.
    pub(crate) fn log_query(&self, resume: Option<u64>) -> Result<LogQuery, String> {
        let services = self.parameters.iter().filter(|(name, _)| name == "service");
        let services = services
            .map(|(_, value)| ServiceName::new(value).map_err(|why| format!("service {value:?}: {why}")));
        let slot = self
            .number("slot")?
            .map(|slot| u32::try_from(slot).map_err(|_large| format!("slot {slot} is too large")));
        let stream = match self.value("stream") {
            None => None,
            Some("stdout") => Some(Stream::Stdout),
            Some("stderr") => Some(Stream::Stderr),
            Some(other) => return Err(format!("stream is stdout or stderr, not {other:?}")),
        };
        Ok(LogQuery {
            services: services.collect::<Result<_, _>>()?,
            slot: slot.transpose()?,
            stream,
            since_ms: self.number("since_ms")?,
            after: resume.or(self.number("after")?),
            last: self.number("last")?.map(|last| usize::try_from(last).unwrap_or(usize::MAX)),
        })
    }
}
