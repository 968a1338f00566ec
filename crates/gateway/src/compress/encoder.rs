//! Encoders, into memory.

use std::fmt;
use std::io::Write as _;

use brotli::CompressorWriter;
use flate2::Compression;
use flate2::write::GzEncoder;

use crate::files::negotiate::Encoding;

/// Levels at which a second of a processor packs some 100 MiB of text: more would cost more than the network.
const GZIP_LEVEL: u32 = 5;
const BROTLI_LEVEL: u32 = 4;
/// Brotli looks back over 2^18 bytes: enough for pages, and a megabyte of memory in all.
const BROTLI_WINDOW: u32 = 18;
const BROTLI_BUFFER: usize = 4 << 10;

/// One body's encoder.
pub(super) enum Encoder {
    Gzip(GzEncoder<Vec<u8>>),
    Brotli(Box<CompressorWriter<Vec<u8>>>),
}

const INFALLIBLE: &str = "memory takes all that is written";

impl Encoder {
    pub(super) fn new(encoding: Encoding) -> Self {
        match encoding {
            Encoding::Brotli => {
                let writer = CompressorWriter::new(Vec::new(), BROTLI_BUFFER, BROTLI_LEVEL, BROTLI_WINDOW);
                Self::Brotli(Box::new(writer))
            }
            Encoding::Gzip | Encoding::Zstd => {
                Self::Gzip(GzEncoder::new(Vec::new(), Compression::new(GZIP_LEVEL)))
            }
        }
    }

    /// Packs `bytes`; some of it may be held back.
    pub(super) fn put(&mut self, bytes: &[u8]) {
        match self {
            Self::Gzip(encoder) => encoder.write_all(bytes),
            Self::Brotli(encoder) => encoder.write_all(bytes),
        }
        .expect(INFALLIBLE);
    }

    /// Holds nothing back of what was put.
    pub(super) fn flush(&mut self) {
        match self {
            Self::Gzip(encoder) => encoder.flush(),
            Self::Brotli(encoder) => encoder.flush(),
        }
        .expect(INFALLIBLE);
    }

    /// Moves what is packed to `out`; whether that is something.
    pub(super) fn take(&mut self, out: &mut Vec<u8>) -> bool {
        let packed = match self {
            Self::Gzip(encoder) => encoder.get_mut(),
            Self::Brotli(encoder) => encoder.get_mut(),
        };
        let is_some = !packed.is_empty();
        out.append(packed);
        is_some
    }

    /// The rest, with the end.
    pub(super) fn finish(self) -> Vec<u8> {
        match self {
            Self::Gzip(encoder) => encoder.finish().expect(INFALLIBLE),
            Self::Brotli(encoder) => encoder.into_inner(),
        }
    }
}

impl fmt::Debug for Encoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gzip(_) => "Encoder(gzip)",
            Self::Brotli(_) => "Encoder(br)",
        })
    }
}
