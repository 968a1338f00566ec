//! The reading of a record: the last moment of an arbiter that is gone.

use std::collections::BTreeMap;
use std::sync::Arc;

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::{Config, Record, Tick, WorkerId};
use remuda_sys::clock;

use super::{BegunLine, ChildRecord, Entry, FORMAT, Heading, Picture, SocketRecord, StoredRecord};
use crate::logs::LogLine;

/// Why a record cannot be gone on with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RecordError {
    /// It is of another boot: what it tells of is gone.
    #[error("the record is of another boot of this machine")]
    OtherBoot,
    /// A newer build wrote it.
    #[error("the record has format {format} (remuda {version}); this build reads formats up to {FORMAT}")]
    Newer {
        /// Its format.
        format: u32,
        /// Who wrote it.
        version: String,
    },
    /// It is no record, or damaged.
    #[error("line {line} of the record cannot be read: {reason}")]
    Damaged {
        /// From 1.
        line: usize,
        /// Why.
        reason: String,
    },
}

/// The last moment of an arbiter.
#[derive(Debug)]
pub(crate) struct Past {
    pub(crate) heading: Heading,
    pub(crate) arbiter: Arbiter,
    pub(crate) config: Config,
    /// Workers that have a process, and are not buried.
    pub(crate) children: BTreeMap<WorkerId, ChildRecord>,
    pub(crate) sockets: Vec<SocketRecord>,
    pub(crate) stored: Vec<StoredRecord>,
    /// The newest events, at least as many as are kept.
    pub(crate) events: Vec<Record>,
    pub(crate) next_event: u64,
    pub(crate) next_request: u64,
    pub(crate) started: Tick,
    pub(crate) begun_lines: Vec<BegunLine>,
    pub(crate) lines: Vec<Arc<LogLine>>,
}

/// The heading alone, whoever's boot it is of.
pub(crate) fn heading(text: &[u8]) -> Result<Heading, RecordError> {
    let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default();
    let heading: Heading = serde_json::from_slice(first).map_err(damaged(1))?;
    if heading.format > FORMAT {
        return Err(RecordError::Newer { format: heading.format, version: heading.version });
    }
    Ok(heading)
}

fn damaged(line: usize) -> impl Fn(serde_json::Error) -> RecordError {
    move |error| RecordError::Damaged { line, reason: error.to_string() }
}

/// Reads a record. A last line without an end is one that the crash cut off: its fact was never acted on.
pub(crate) fn replay(text: &[u8]) -> Result<Past, RecordError> {
    let heading = heading(text)?;
    if heading.boot != clock::boot_id() {
        return Err(RecordError::OtherBoot);
    }
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n');
    let mut lines = lines.enumerate().skip(1).filter(|(_, line)| !line.is_empty());
    let no_picture = || RecordError::Damaged { line: 2, reason: "there is no picture".to_owned() };
    let (index, first) = lines.next().ok_or_else(no_picture)?;
    let Entry::Picture(picture) = serde_json::from_slice(first).map_err(damaged(index + 1))? else {
        return Err(no_picture());
    };
    let mut past = Past::new(heading, *picture);
    for (index, line) in lines {
        past.take(serde_json::from_slice(line).map_err(damaged(index + 1))?);
    }
    Ok(past)
}

impl Past {
    fn new(heading: Heading, picture: Picture<'_>) -> Self {
        Self {
            heading,
            arbiter: Arbiter::restore(picture.arbiter),
            config: picture.config.into_owned(),
            children: picture.children.into_iter().map(|child| (child.worker, child)).collect(),
            sockets: picture.sockets,
            stored: picture.stored,
            events: picture.events,
            next_event: picture.next_event,
            next_request: picture.next_request,
            started: picture.started,
            begun_lines: picture.begun_lines,
            lines: picture.lines,
        }
    }

    fn take(&mut self, entry: Entry<'_>) {
        match entry {
            Entry::Picture(picture) => *self = Self::new(self.heading.clone(), *picture),
            Entry::Step { at, input } => self.step(at, input.into_owned()),
            Entry::Hatched(child) => drop(self.children.insert(child.worker, child)),
            Entry::Sockets(sockets) => self.sockets = sockets,
            Entry::Stored(stored) => self.stored = stored,
            Entry::Told(record) => {
                self.next_event = record.seq + 1;
                self.events.push(record.into_owned());
            }
        }
    }

    /// What the machine ordered then was carried out then; only what it buried is to be forgotten here too.
    fn step(&mut self, at: Tick, input: Input) {
        match &input {
            Input::Boot(config) | Input::Apply { config, .. } => self.config = (**config).clone(),
            _ => {}
        }
        if let Input::Request { id, .. } | Input::Apply { id, .. } = &input {
            self.next_request = self.next_request.max(id.0 + 1);
        }
        let mut orders = Vec::new();
        self.arbiter.step(at, input, &mut orders);
        for order in orders {
            if let Order::Bury { worker } = order {
                self.children.remove(&worker);
            }
        }
    }
}

#[cfg(test)]
mod tests;
