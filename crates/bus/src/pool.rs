//! The bytes that wait in queues, each kept once however many queues it waits in.
//!
//! Bytes lie in chunks, and a queue holds places in chunks: a large batch becomes a chunk as it is, without a copy, and
//! everything small is written behind each other into the open chunk. So a delivery costs a slot in a queue and an
//! addition, and what follows in a chunk what the queue already ends with costs not even the slot.
//!
//! A chunk counts the bytes the queues hold of it and is freed with the last. A slow queue that holds a few bytes of each
//! of many chunks would keep them all alive; a chunk of which less than a quarter is held is therefore called sparse, and
//! when the sparse ones together pass a bound, what is held of them is copied out. Hence what is retained is at most four
//! times what all queues hold, and that bound, and the open chunk.

use bytes::Bytes;

/// Size of a chunk for small things: what a batch read from a connection becomes in another encoding fits, and it is below
/// the size of a second-level cache. It is used from its beginning again whenever all of it has been written.
pub(crate) const CHUNK_BYTES: usize = 256 * 1024;
/// A chunk is sparse when less than one part in this many of it is held.
const SPARSE_PARTS: usize = 4;
/// Chunks kept for the next use, so that a steady flow of messages allocates nothing.
const SPARE_MAX: usize = 8;

/// Some bytes of one chunk, holding so many whole messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Segment {
    pub(crate) chunk: u32,
    /// Whole messages in it; 0 for bytes that are no messages of the bus and are never dropped.
    pub(crate) messages: u32,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

/// All chunks.
#[derive(Debug, Default)]
pub(crate) struct Pool {
    chunks: Vec<Chunk>,
    free: Vec<u32>,
    open: Option<u32>,
    spare: Vec<Vec<u8>>,
    retained: usize,
    sparse: usize,
}

#[derive(Debug)]
struct Chunk {
    body: Body,
    /// Bytes held of it, those held twice counted twice.
    held: usize,
    is_sparse: bool,
}

#[derive(Debug)]
enum Body {
    Free,
    Shared(Bytes),
    Own(Vec<u8>),
}

impl Segment {
    /// Its length in bytes.
    pub(crate) fn len(&self) -> usize {
        self.end - self.start
    }
}

impl Chunk {
    fn bytes(&self) -> &[u8] {
        match &self.body {
            Body::Free => &[],
            Body::Shared(bytes) => bytes,
            Body::Own(bytes) => bytes,
        }
    }

    fn size(&self) -> usize {
        match &self.body {
            Body::Free => 0,
            Body::Shared(bytes) => bytes.len(),
            Body::Own(bytes) => bytes.capacity(),
        }
    }
}

impl Pool {
    /// The bytes of `segment`.
    pub(crate) fn bytes(&self, segment: &Segment) -> &[u8] {
        &self.chunks[segment.chunk as usize].bytes()[segment.start..segment.end]
    }

    /// The bytes of `segment`, to be kept elsewhere.
    pub(crate) fn to_bytes(&self, segment: &Segment) -> Bytes {
        match &self.chunks[segment.chunk as usize].body {
            Body::Shared(bytes) => bytes.slice(segment.start..segment.end),
            Body::Own(_) | Body::Free => Bytes::copy_from_slice(self.bytes(segment)),
        }
    }

    /// Bytes of all chunks, each counted once.
    pub(crate) fn retained(&self) -> usize {
        self.retained
    }

    /// Bytes of all sparse chunks.
    pub(crate) fn sparse(&self) -> usize {
        self.sparse
    }

    /// Whether what is held of this chunk should be copied out.
    pub(crate) fn is_sparse(&self, chunk: u32) -> bool {
        self.chunks[chunk as usize].is_sparse
    }

    /// Takes `bytes` as a chunk of their own. The caller holds some of it before anything else happens.
    pub(crate) fn share(&mut self, bytes: Bytes) -> u32 {
        self.place(Body::Shared(bytes))
    }

    /// The open chunk, with room for `bytes` more, and its number.
    pub(crate) fn room(&mut self, bytes: usize) -> (u32, &mut Vec<u8>) {
        let fits = |chunk: &Chunk| chunk.size() - chunk.bytes().len() >= bytes;
        let open = match self.open {
            Some(open) if fits(&self.chunks[open as usize]) => open,
            _ => {
                self.seal();
                // A spare chunk is not for what it has no room for.
                let spare = if bytes <= CHUNK_BYTES { self.spare.pop() } else { None };
                let fresh = spare.unwrap_or_else(|| Vec::with_capacity(bytes.max(CHUNK_BYTES)));
                let open = self.place(Body::Own(fresh));
                self.open = Some(open);
                open
            }
        };
        match &mut self.chunks[open as usize].body {
            Body::Own(bytes) => (open, bytes),
            Body::Free | Body::Shared(_) => unreachable!("the open chunk is its own"),
        }
    }

    /// Copies `bytes` into the open chunk. The caller holds them before anything else happens.
    pub(crate) fn copy(&mut self, bytes: &[u8], messages: u32) -> Segment {
        let (chunk, open) = self.room(bytes.len());
        let start = open.len();
        open.extend_from_slice(bytes);
        Segment { chunk, messages, start, end: open.len() }
    }

    /// Copies what `segment` has of a sparse chunk to the open one; the new place is held instead of the old.
    pub(crate) fn relocate(&mut self, segment: &mut Segment) {
        let moved = self.copy(&self.to_bytes(segment), segment.messages);
        self.hold(moved.chunk, moved.len());
        self.release(segment.chunk, segment.len());
        *segment = moved;
    }

    /// Notes that `bytes` more of `chunk` are held.
    pub(crate) fn hold(&mut self, chunk: u32, bytes: usize) {
        self.chunks[chunk as usize].held += bytes;
    }

    /// Notes that `bytes` of `chunk` are held no more.
    pub(crate) fn release(&mut self, chunk: u32, bytes: usize) {
        let at = &mut self.chunks[chunk as usize];
        at.held -= bytes;
        if at.held == 0 {
            self.dispose(chunk);
        } else if !at.is_sparse && at.held < at.size() / SPARSE_PARTS {
            self.judge(chunk);
        }
    }

    fn place(&mut self, body: Body) -> u32 {
        let chunk = Chunk { body, held: 0, is_sparse: false };
        self.retained += chunk.size();
        if let Some(free) = self.free.pop() {
            self.chunks[free as usize] = chunk;
            return free;
        }
        self.chunks.push(chunk);
        u32::try_from(self.chunks.len() - 1).expect("chunks are bounded by the bytes of all queues")
    }

    fn seal(&mut self) {
        let Some(sealed) = self.open.take() else { return };
        if self.chunks[sealed as usize].held == 0 {
            self.dispose(sealed);
        } else {
            self.judge(sealed);
        }
    }

    /// Calls a chunk sparse that is; the open one never is, since it still fills.
    fn judge(&mut self, chunk: u32) {
        let at = &mut self.chunks[chunk as usize];
        if self.open != Some(chunk) && !at.is_sparse && at.held < at.size() / SPARSE_PARTS {
            at.is_sparse = true;
            self.sparse += at.size();
        }
    }

    fn dispose(&mut self, chunk: u32) {
        let at = &mut self.chunks[chunk as usize];
        let size = at.size();
        if self.open == Some(chunk) {
            if size == CHUNK_BYTES {
                if let Body::Own(bytes) = &mut at.body {
                    bytes.clear();
                }
                return;
            }
            self.open = None;
        }
        if std::mem::take(&mut at.is_sparse) {
            self.sparse -= size;
        }
        self.retained -= size;
        if let Body::Own(mut bytes) = std::mem::replace(&mut at.body, Body::Free)
            && bytes.capacity() == CHUNK_BYTES
            && self.spare.len() < SPARE_MAX
        {
            bytes.clear();
            self.spare.push(bytes);
        }
        self.free.push(chunk);
    }
}

#[cfg(test)]
mod tests;
