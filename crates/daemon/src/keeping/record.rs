//! The record is written.

use std::borrow::Cow;

use remuda_arbiter::Input;

use crate::child::Child;
use crate::daemon::Daemon;
use crate::record::journal::encode;
use crate::record::{Entry, Picture, holding};

impl Daemon {
    /// Has held, and writes down, what has changed in this turn of the loop. While there is `more` to do at once, the
    /// list of sockets waits: in a crowd of new workers it grows with each of them.
    pub(crate) fn keep_up(&mut self, more: bool) {
        if self.sockets.take_changed() {
            self.keeping.sockets_unwritten = true;
            self.watch_doors();
            self.watch_files();
            let kept = self.keep_listeners();
            self.mind_keeper(kept);
        }
        if !more && std::mem::take(&mut self.keeping.sockets_unwritten) {
            self.journal.add(&Entry::Sockets(self.sockets.records()));
        }
        if self.stored.take_changed() {
            self.journal.add(&Entry::Stored(self.stored.records().map(|(record, _)| record).collect()));
            let kept = self.keep_stored();
            self.mind_keeper(kept);
        }
        if self.journal.is_due() {
            self.begin_record();
        }
        if let Some(error) = self.journal.take_failure() {
            let forgotten = self.keeping.forget(vec![holding::RECORD.to_owned()]);
            self.mind_keeper(forgotten);
            self.trouble(format!(
                "{error}; until it can be written again, nobody could go on with the workers after a crash of remuda"
            ));
        }
    }

    /// All there is to go on with.
    pub(crate) fn picture(&self) -> Picture<'_> {
        Picture {
            arbiter: self.arbiter.snapshot(),
            config: Cow::Borrowed(&*self.config),
            children: self.children.values().map(Child::record).collect(),
            sockets: self.sockets.records(),
            stored: self.stored.records().map(|(record, _)| record).collect(),
            events: self.events.kept(),
            next_event: self.events.newest() + 1,
            next_request: self.next_request,
            started: self.started,
            begun_lines: Vec::new(),
            lines: Vec::new(),
        }
    }

    /// Begins the record anew.
    pub(crate) fn begin_record(&mut self) {
        let picture = encode(&self.config.instance.name, self.picture());
        self.journal.begin(picture);
        if let Some(record) = self.journal.held() {
            let kept = self.keeping.keep([(holding::RECORD.to_owned(), record)]);
            self.mind_keeper(kept);
        }
    }

    /// The machine is given a fact: it is written down first.
    pub(crate) fn note_fact(&mut self, at: remuda_model::Tick, input: &Input) {
        self.journal.add(&Entry::Step { at, input: Cow::Borrowed(input) });
    }

    /// All is stopped in good order.
    pub(crate) fn end_keeping(&mut self) {
        if let Some(keeper) = self.keeping.keeper.take() {
            // One that does not leave is killed, and nobody is left who could need it.
            let _ = keeper.farewell();
        }
        self.journal.end();
        self.folder.remove_notify_folder();
        self.folder.remove_handover_folder();
        self.folder.remove_gateway_folder();
        self.folder.remove_dashboard_folder();
    }
}
