//! Values of the command line that are more than a word.

use std::time::Duration;

use remuda_config::raw;
use remuda_daemon::Stream;
use remuda_model::{ServiceName, StopScope};

/// A service and its new number of workers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Scaling {
    /// So many.
    To(ServiceName, u32),
    /// So many more or less.
    By(ServiceName, i32),
}

pub(super) fn formation(text: &str) -> Result<(ServiceName, u32), String> {
    match scaling(text)? {
        Scaling::To(service, workers) => Ok((service, workers)),
        Scaling::By(..) => Err("write NAME=N, as in web=4".to_owned()),
    }
}

pub(super) fn scaling(text: &str) -> Result<Scaling, String> {
    let written = || format!("{text:?} is not of the form web=4, web=+1 or web=-1");
    let (name, number) = text.split_once('=').ok_or_else(written)?;
    let name = ServiceName::new(name).map_err(|why| format!("{name:?} does not name a service: {why}"))?;
    if number.starts_with(['+', '-']) {
        return number.parse().map(|by| Scaling::By(name, by)).map_err(|_error| written());
    }
    number.parse().map(|to| Scaling::To(name, to)).map_err(|_error| written())
}

pub(super) fn time(text: &str) -> Result<Duration, String> {
    let time: raw::Duration = text.parse().map_err(|error: raw::DurationError| error.to_string())?;
    Ok(time.0)
}

/// A time in which something can happen.
pub(super) fn some_time(text: &str) -> Result<Duration, String> {
    let time = time(text)?;
    if time < Duration::from_millis(1) { Err("1ms is the least".to_owned()) } else { Ok(time) }
}

pub(super) fn stream(text: &str) -> Result<Stream, String> {
    match text {
        "stdout" => Ok(Stream::Stdout),
        "stderr" => Ok(Stream::Stderr),
        _ => Err("write stdout or stderr".to_owned()),
    }
}

pub(super) fn scope(text: &str) -> Result<StopScope, String> {
    match text {
        "main" => Ok(StopScope::Main),
        "group" => Ok(StopScope::Group),
        "tree" => Ok(StopScope::Tree),
        _ => Err("write main, group or tree".to_owned()),
    }
}
