//! Reading one file: batch after batch, over every damage to the next batch that is whole.
//!
//! The reader looks for seals, not for commands. A batch is good when its seal bears the journal's mark, names exactly
//! the place where it stands, and fits the bytes before it; whatever lies between the last good batch and the next one
//! is lost, and told. So no damage, wherever it is, can turn into commands or take good batches with it, and memory is
//! bounded by the largest batch that was written.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt;
use std::path::Path;

use memchr::memmem::Finder;

use super::commands::{self, Parsed};
use super::seal::{Mark, SEAL_BYTES, Seal};
use super::segment::Name;

/// How much is read at once.
const WINDOW_BYTES: usize = 1024 * 1024;
/// How much of an unfinished batch is looked at, to tell a write that was cut off from damage.
const TAIL_BYTES: u64 = 64 * 1024;

/// What stood in the file.
#[derive(Debug, Default)]
pub(super) struct Scanned {
    /// Where the last good batch ends.
    pub(super) good: u64,
    /// Bytes of the file.
    pub(super) length: u64,
    /// Commands delivered.
    pub(super) commands: u64,
    /// Ranges between good batches, or behind the last one, that hold nothing readable.
    pub(super) lost: Vec<Range<u64>>,
    /// Whether what stands behind the last good batch is the beginning of a batch that was never finished, and nothing
    /// else.
    pub(super) torn: bool,
}

/// Gives the commands of all good batches to `sink`, without those of the journal itself.
pub(super) fn scan(
    path: &Path,
    name: Name,
    mark: Mark,
    sink: &mut dyn FnMut(&[&[u8]]),
) -> io::Result<Scanned> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut scan =
        Scan { file, name, mark, body: Vec::new(), found: Scanned { length, ..Scanned::default() } };
    scan.run(sink)?;
    if scan.found.good < length {
        scan.found.torn = scan.is_torn()?;
        if !scan.found.torn {
            scan.found.lost.push(scan.found.good..length);
        }
    }
    Ok(scan.found)
}

struct Scan {
    file: File,
    name: Name,
    mark: Mark,
    body: Vec<u8>,
    found: Scanned,
}

impl Scan {
    fn run(&mut self, sink: &mut dyn FnMut(&[&[u8]])) -> io::Result<()> {
        let needle = self.mark.needle();
        let finder = Finder::new(&needle);
        let mut window = vec![0; WINDOW_BYTES];
        let mut at = 0;
        while at < self.found.length {
            let read = read_full(&self.file, &mut window, at)?;
            let bytes = &window[..read];
            let last = read < WINDOW_BYTES || at + as_u64(read) >= self.found.length;
            let mut from = 0;
            while let Some(hit) = finder.find(&bytes[from..]).map(|hit| from + hit) {
                let Some(seal) = bytes.get(hit..hit + SEAL_BYTES) else { break };
                let seal = seal.try_into().expect("as many bytes as a seal has");
                self.consider(seal, at, hit, bytes, sink)?;
                from = hit + 1;
            }
            if last {
                break;
            }
            // A seal that begins in the last bytes is seen whole in the next window.
            at += as_u64(read - (SEAL_BYTES - 1));
        }
        Ok(())
    }

    /// Takes the batch before the seal at `hit` of the window `bytes`, which stands at `at`, if it is a good one.
    fn consider(
        &mut self,
        seal: &[u8; SEAL_BYTES],
        at: u64,
        hit: usize,
        bytes: &[u8],
        sink: &mut dyn FnMut(&[&[u8]]),
    ) -> io::Result<()> {
        let end = at + as_u64(hit);
        let Some(seal) = Seal::parse(self.mark, seal) else { return Ok(()) };
        if seal.offset.checked_add(seal.length) != Some(end) || seal.offset < self.found.good {
            return Ok(());
        }
        let Ok(length) = usize::try_from(seal.length) else { return Ok(()) };
        let body = if length <= hit {
            &bytes[hit - length..hit]
        } else {
            self.body.resize(length, 0);
            self.file.read_exact_at(&mut self.body, seal.offset)?;
            &self.body[..]
        };
        if seal.fits(self.mark, self.name, body) {
            self.found.commands += deliver(body, sink);
            if seal.offset > self.found.good {
                self.found.lost.push(self.found.good..seal.offset);
            }
            self.found.good = end + as_u64(SEAL_BYTES);
        }
        Ok(())
    }

    /// Whether commands stand behind the last good batch, the last one cut off by the file's end, and no seal.
    fn is_torn(&self) -> io::Result<bool> {
        let length = self.found.length;
        let mut tail = vec![0; usize::try_from(TAIL_BYTES.min(length - self.found.good)).unwrap_or_default()];
        self.file.read_exact_at(&mut tail, self.found.good)?;
        let mut rest = &tail[..];
        let mut arguments = Vec::new();
        loop {
            match commands::parse(rest, &mut arguments) {
                // Ours: a seal that does not fit, or an opening whose seal is missing.
                Parsed::Command(_)
                    if arguments.first().is_some_and(|name| &rest[name.clone()] == b"ECHO") =>
                {
                    return Ok(self.found.good == 0 && !self.has_seal(length)?);
                }
                Parsed::Command(end) => rest = &rest[end..],
                Parsed::Incomplete => return Ok(!self.has_seal(length)?),
                Parsed::Broken => return Ok(false),
            }
        }
    }

    /// Whether a whole seal of this journal stands behind the last good batch, however wrong.
    fn has_seal(&self, length: u64) -> io::Result<bool> {
        let needle = self.mark.needle();
        let finder = Finder::new(&needle);
        let mut window = vec![0; WINDOW_BYTES];
        let mut at = self.found.good;
        while at < length {
            let read = read_full(&self.file, &mut window, at)?;
            if finder.find(&window[..read]).is_some_and(|hit| at + as_u64(hit + SEAL_BYTES) <= length) {
                return Ok(true);
            }
            if read < WINDOW_BYTES {
                break;
            }
            at += as_u64(read - (SEAL_BYTES - 1));
        }
        Ok(false)
    }
}

/// Fills `window` from `at` on, as far as the file goes; at least a seal's bytes unless it ends.
fn read_full(file: &File, window: &mut [u8], at: u64) -> io::Result<usize> {
    let mut filled = 0;
    while filled < window.len() {
        match file.read_at(&mut window[filled..], at + as_u64(filled)) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    if filled == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(filled)
}

/// Commands of a good batch, to `sink`; how many they were.
fn deliver(body: &[u8], sink: &mut dyn FnMut(&[&[u8]])) -> u64 {
    let (mut rest, mut ranges, mut count) = (body, Vec::new(), 0);
    let mut words: Vec<&[u8]> = Vec::new();
    while let Parsed::Command(end) = commands::parse(rest, &mut ranges) {
        words.clear();
        words.extend(ranges.iter().map(|range| &rest[range.clone()]));
        if words.first() != Some(&b"ECHO".as_slice()) {
            sink(&words);
            count += 1;
        }
        rest = &rest[end..];
    }
    count
}

fn as_u64(length: usize) -> u64 {
    u64::try_from(length).expect("a length in memory fits")
}
