//! `ready` and `stdin`: small languages in a text.

use remuda_model::{Address, Readiness, SocketName, Stdin};

use super::Resolution;
use crate::nearest::nearest;
use crate::raw::{Duration, Located};
use crate::report::Problem;

/// First descriptor that is passed to workers.
const FIRST_DESCRIPTOR: i32 = 3;

const FORMS: [&str; 10] = [
    "started",
    "notify",
    "listen",
    "fd:N",
    "http:/PATH",
    "tcp",
    "exec:COMMAND",
    "log:REGEX",
    "delay:1s",
    "ack",
];

impl Resolution<'_> {
    pub(super) fn stdin(&mut self, text: Option<&Located<String>>) -> Stdin {
        let Some(text) = text else { return Stdin::Null };
        match text.as_str() {
            "null" => Stdin::Null,
            "hold" => Stdin::Hold,
            other => match other.strip_prefix("socket:") {
                Some(name) => {
                    self.known_socket(&text.with(name.to_owned())).map_or(Stdin::Null, Stdin::Socket)
                }
                None => {
                    let message = format!("{other:?} cannot be descriptor 0");
                    let problem = Problem::error(text.span.clone(), message);
                    self.problems.push(problem.hint("write \"null\", \"hold\" or \"socket:NAME\""));
                    Stdin::Null
                }
            },
        }
    }

    /// [`Readiness::Started`] stands in for what is wrong.
    pub(super) fn readiness(&mut self, text: Option<&Located<String>>, sockets: &[SocketName]) -> Readiness {
        let Some(text) = text else { return Readiness::Started };
        let (word, rest) =
            text.split_once(':').map_or((text.as_str(), None), |(word, rest)| (word, Some(rest)));
        let parsed = match (word, rest) {
            ("started", None) => Ok(Readiness::Started),
            ("notify", None) => Ok(Readiness::Notify),
            ("listen", None) => Ok(Readiness::Listen),
            ("ack", None) => Ok(Readiness::Ack),
            ("tcp", None) => first_socket(sockets).map(|()| Readiness::Tcp(None)),
            ("fd", Some(number)) => descriptor(number, sockets.len()),
            ("http", Some(path)) if path.starts_with('/') && !path.starts_with("//") => {
                first_socket(sockets).map(|()| Readiness::Http(path.to_owned()))
            }
            ("http", Some(rest)) => url(rest).map(|()| Readiness::Http(text.value.clone())),
            ("tcp", Some(address)) => connectable(address).map(|()| Readiness::Tcp(Some(address.to_owned()))),
            ("exec", Some(command)) => executable(command),
            ("log", Some(pattern)) => expression(pattern),
            ("delay", Some(time)) => match time.parse::<Duration>() {
                Ok(time) => Ok(Readiness::Delay(time.0)),
                Err(why) => Err(why.to_string()),
            },
            _ => Err(unknown(text)),
        };
        if matches!(parsed, Ok(Readiness::Http(_) | Readiness::Tcp(_) | Readiness::Exec(_))) {
            self.argument(text, sockets);
        }
        parsed.unwrap_or_else(|why| {
            self.error(text.span.as_ref(), why);
            Readiness::Started
        })
    }
}

fn unknown(text: &str) -> String {
    if text.starts_with("https:") {
        return "a worker's readiness is asked for without TLS; write \"http:…\", \"tcp\" or \"exec:curl …\""
            .into();
    }
    let word = text.split(':').next().unwrap_or(text);
    let heads = FORMS.iter().map(|form| form.split(':').next().unwrap_or(form));
    let meant = nearest(word, heads).map(|head| format!("; did you mean {head:?}?")).unwrap_or_default();
    format!("{text:?} is no way to tell readiness{meant} (known: {})", FORMS.join(", "))
}

fn first_socket(sockets: &[SocketName]) -> Result<(), String> {
    if sockets.is_empty() {
        return Err("this asks on the service's first socket, and the service has none; give it one with `sockets`, or write the whole address".into());
    }
    Ok(())
}

fn descriptor(number: &str, passed: usize) -> Result<Readiness, String> {
    let end = i32::try_from(passed).unwrap_or(i32::MAX).saturating_add(FIRST_DESCRIPTOR);
    match number.parse::<i32>() {
        Ok(number) if (0..FIRST_DESCRIPTOR).contains(&number) => {
            Err(format!("descriptor {number} is the worker's input or output; write \"fd:{end}\" or higher"))
        }
        Ok(number) if (FIRST_DESCRIPTOR..end).contains(&number) => {
            Err(format!("descriptor {number} is one of the worker's sockets; write \"fd:{end}\" or higher"))
        }
        Ok(number) if number >= end && number < 1024 => Ok(Readiness::Descriptor(number)),
        _ => Err(format!("{number:?} is not a descriptor; write a number from {end} to 1023")),
    }
}

fn url(rest: &str) -> Result<(), String> {
    let host = rest.strip_prefix("//").and_then(|rest| rest.split('/').next()).unwrap_or("");
    if host.is_empty() || host.starts_with(':') {
        return Err(
            "write \"http:/path\" for the service's first socket, or \"http://host:port/path\"".into()
        );
    }
    Ok(())
}

fn connectable(address: &str) -> Result<(), String> {
    if address.contains(['$', '(', '{']) {
        return Ok(());
    }
    match address.parse() {
        Ok(Address::Tcp(_) | Address::TcpHost { .. } | Address::UnixStream(_) | Address::Abstract(_)) => {
            Ok(())
        }
        Ok(_) => Err(format!("{address} takes no connections")),
        Err(why) => Err(why.to_string()),
    }
}

fn executable(command: &str) -> Result<Readiness, String> {
    match shlex::split(command) {
        Some(words) if !words.is_empty() => Ok(Readiness::Exec(command.to_owned())),
        Some(_) => Err("write what to run: \"exec:COMMAND\"".into()),
        None => Err("a quote is not closed, or a backslash stands at the end".into()),
    }
}

fn expression(pattern: &str) -> Result<Readiness, String> {
    match regex_lite::Regex::new(pattern) {
        Ok(_) if !pattern.is_empty() => Ok(Readiness::Log(pattern.to_owned())),
        Ok(_) => Err("write what a line has to match: \"log:REGEX\"".into()),
        Err(why) => Err(format!("{pattern:?} is not a regular expression: {why}")),
    }
}
