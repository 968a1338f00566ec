//! Addresses of a config that `remuda up` would not get now.

use remuda_config::Style;
use remuda_model::{Config, SocketSpec};

use crate::screen::{NOTICE, paint};

/// A warning for each socket that cannot be bound. Whoever has an address notices nothing of this.
pub(super) fn remarks(config: &Config, style: Style) -> Vec<String> {
    let lead = match style {
        Style::Plain => "warning:".to_owned(),
        Style::Coloured => paint(NOTICE, "warning:"),
    };
    // The folder of the hub's own Unix sockets is made by `up`, and what is in it replaced.
    let is_ours = |spec: &&SocketSpec| {
        let folder = spec.listen.path().and_then(|path| path.parent());
        folder == Some(config.instance.runtime_dir.as_path())
    };
    let failing = config.sockets.values().filter(|spec| !is_ours(spec)).filter_map(|spec| {
        let why = remuda_sys::socket::probe(spec).err()?;
        Some(format!("{lead} socket {}: {why}; `remuda up` would fail now", spec.name))
    });
    failing.collect()
}
