//! One look: what the arbiter shows, and what the hub tells.

use std::path::PathBuf;
use std::time::Duration;

use remuda_model::hub::HubMetrics;
use remuda_model::view::Instance;
use remuda_toolkit::client::{Address, Hub, Store, Timeouts, Value};

/// A hub that takes longer is shown as one that does not answer.
const PATIENCE: Duration = Duration::from_secs(1);

/// What was there at one moment.
#[derive(Debug)]
pub(super) struct Sample {
    pub(super) view: Instance,
    /// `None` where there is no hub, or none that answers.
    pub(super) hub: Option<HubMetrics>,
}

/// The connection to the hub, kept from look to look.
#[derive(Debug, Default)]
pub(super) struct HubEyes {
    store: Option<(PathBuf, Store)>,
}

impl HubEyes {
    /// Asks the hub of `view`.
    pub(super) fn look(&mut self, view: &Instance) -> Option<HubMetrics> {
        let path = view.hub.as_ref()?.store_path()?;
        if self.store.as_ref().is_none_or(|(known, _)| known != path) {
            let timeouts = Timeouts { reply: PATIENCE, ..Timeouts::default() };
            let hub = Hub::new(Address::unix(path)).timeouts(timeouts);
            self.store = Some((path.to_owned(), hub.store()));
        }
        let (_, store) = self.store.as_mut()?;
        match store.command(&[b"HUB.METRICS"]).ok()? {
            Value::Bulk(text) => serde_json::from_slice(&text).ok(),
            _ => None,
        }
    }
}
