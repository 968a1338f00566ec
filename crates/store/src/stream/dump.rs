//! A stream as the commands that make it: its entries, then what it remembers, then its groups.

use super::Stream;
use super::entry::Entry;
use super::group::Group;
use super::id::StreamId;

impl Stream {
    /// Says the commands that make it under the name `key`. A pending entry whose entry is deleted is said too.
    pub(crate) fn dump(&self, key: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        if self.log.entries().is_empty() {
            // The only command that leaves an empty stream and needs no group; no entry can have the id 0-0.
            let id = self.log.last_id.max(StreamId { ms: 0, number: 1 }).text();
            sink(&[b"XADD", key, b"MAXLEN", b"0", id.as_bytes(), b"x", b"y"]);
        }
        for Entry { id, fields } in self.log.entries().range(StreamId::MIN, StreamId::MAX) {
            let id = id.text();
            let mut command: Vec<&[u8]> = vec![b"XADD", key, id.as_bytes()];
            command.extend(fields.items());
            sink(&command);
        }
        let (last, added, deleted) =
            (self.log.last_id.text(), self.log.entries_added.to_string(), self.log.max_deleted_id.text());
        let (last, added, deleted) = (last.as_bytes(), added.as_bytes(), deleted.as_bytes());
        sink(&[b"XSETID", key, last, b"ENTRIESADDED", added, b"MAXDELETEDID", deleted]);
        for (name, group) in &self.groups {
            group.dump(key, name, sink);
        }
    }
}

impl Group {
    fn dump(&self, key: &[u8], name: &[u8], sink: &mut dyn FnMut(&[&[u8]])) {
        let last = self.last_delivered.text();
        let read = self.entries_read.map_or_else(|| "-1".to_owned(), |read| read.to_string());
        sink(&[b"XGROUP", b"CREATE", key, name, last.as_bytes(), b"ENTRIESREAD", read.as_bytes()]);
        for consumer in self.consumers().keys() {
            sink(&[b"XGROUP", b"CREATECONSUMER", key, name, consumer]);
        }
        for (id, pending) in self.pending() {
            let (id, time) = (id.text(), pending.delivered_wall_ms.to_string());
            let count = pending.deliveries.to_string();
            let (id, time, count) = (id.as_bytes(), time.as_bytes(), count.as_bytes());
            let consumer = &pending.consumer;
            sink(&[
                b"XCLAIM",
                key,
                name,
                consumer,
                b"0",
                id,
                b"TIME",
                time,
                b"RETRYCOUNT",
                count,
                b"FORCE",
                b"JUSTID",
            ]);
        }
    }
}
