//! How entries and ids are answered.

use crate::answer::Answer;
use crate::stream::entry::{Entry, Fields};
use crate::stream::id::StreamId;

/// Answers with an id.
pub(super) fn answer_id(answer: &mut dyn Answer, id: StreamId) {
    answer.bulk(id.text().as_bytes());
}

/// Answers with an entry: its id, and its fields and values.
pub(super) fn answer_entry(answer: &mut dyn Answer, entry: &Entry) {
    answer.array(2);
    answer_id(answer, entry.id);
    answer_fields(answer, &entry.fields);
}

/// Answers with several entries.
pub(super) fn answer_entries<'a>(answer: &mut dyn Answer, entries: impl Iterator<Item = &'a Entry> + Clone) {
    answer.array(entries.clone().count());
    for entry in entries {
        answer_entry(answer, entry);
    }
}

fn answer_fields(answer: &mut dyn Answer, fields: &Fields) {
    answer.array(fields.items().count());
    for item in fields.items() {
        answer.bulk(item);
    }
}
