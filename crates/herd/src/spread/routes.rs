//! Which topics somebody behind a link may want.
//!
//! Behind a link are all nodes that its peer reaches without this one, over links that are up or may come up again: so a
//! node that loses one way finds that the messages went along the other. Nodes little is known of want everything, and so
//! does everybody while news of nodes has not been looked at. So a link may carry too much, never too little.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::input::LinkId;
use super::message::Payload;
use super::summary::Prefixes;

/// Prefixes wanted behind one link, of all nodes together, before it counts as wanting everything; 65,536.
pub(crate) const PREFIXES_MAX: usize = 65_536;

/// What is wanted behind each link.
#[derive(Debug, Default)]
pub(crate) struct Routes {
    /// Whether links want everything, whatever stands below.
    pub(crate) is_open: bool,
    by_link: BTreeMap<LinkId, Wanted>,
}

/// What is wanted behind a link; links behind which the same nodes are share it.
#[derive(Debug, Clone)]
pub(crate) enum Wanted {
    Everything,
    Prefixes(Arc<Prefixes>),
}

impl Routes {
    /// Nothing is known yet: all links want everything.
    pub(crate) fn open() -> Self {
        Self { is_open: true, ..Self::default() }
    }

    pub(crate) fn replace(&mut self, by_link: BTreeMap<LinkId, Wanted>) {
        self.by_link = by_link;
        self.is_open = false;
    }

    /// Whether somebody behind the link may want it.
    pub(crate) fn wants(&self, link: LinkId, payload: &Payload) -> bool {
        let Payload::Messages(batch) = payload else { return true };
        self.is_open
            || match self.by_link.get(&link) {
                None | Some(Wanted::Everything) => true,
                Some(Wanted::Prefixes(prefixes)) => prefixes.want_one_of(batch),
            }
    }
}
