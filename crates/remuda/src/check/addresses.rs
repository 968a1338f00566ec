//! Addresses of a config that `remuda up` would not get now.

use remuda_config::Style;
use remuda_model::Config;

use crate::screen::{NOTICE, paint};

/// A warning for each socket that cannot be bound. Whoever has an address notices nothing of this.
pub(super) fn remarks(config: &Config, style: Style) -> Vec<String> {
    let lead = match style {
        Style::Plain => "warning:".to_owned(),
        Style::Coloured => paint(NOTICE, "warning:"),
    };
    let failing = config.sockets.values().filter_map(|spec| {
        let why = remuda_sys::socket::probe(spec).err()?;
        Some(format!("{lead} socket {}: {why}; `remuda up` would fail now", spec.name))
    });
    failing.collect()
}
