//! What becomes of answers: files, caches, compression, logs.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Files of a folder, or one file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FilesSpec {
    /// The folder, or the file, absolute. Beneath a folder lies what the rest of the pattern (`*`) names; a pattern
    /// without a rest names a file.
    pub root: PathBuf,
    /// Files that stand for their folder, the first that is there. Default `index.html`.
    pub index: Vec<String>,
    /// Whether a folder without one shows what is in it. Default false.
    pub listing: bool,
    /// What is served, with 200, where nothing is found and the client takes HTML: for applications of one page. A path
    /// beneath `root`. Default none.
    pub fallback: Option<String>,
    /// What is served with a status of an error, by status; paths beneath `root`.
    pub error_pages: Vec<(u16, String)>,
    /// Siblings with these endings are served to who takes them. Default all.
    pub precompressed: Vec<Encoding>,
    /// Files and folders whose names begin with a dot; `.well-known` is served anyway. Default false.
    pub dot_files: bool,
    /// Which symbolic links are followed. Default [`Links::Beneath`].
    pub links: Links,
    /// Whether a file may be kept open and small ones in memory, and are looked at again each second. Default true.
    pub cache: bool,
    /// Types by ending without its dot, before the built-in ones.
    pub types: Vec<(String, String)>,
}

/// Which symbolic links are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Links {
    /// None.
    None,
    /// Those that stay beneath the folder.
    #[default]
    Beneath,
    /// All: what is elsewhere is served too.
    All,
}

/// How bytes of an answer are packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Encoding {
    /// Brotli, `.br`.
    Br,
    /// Zstandard, `.zst`.
    Zstd,
    /// gzip, `.gz`.
    Gzip,
}

/// How answers are compressed while they are sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompressSpec {
    /// How, the best first; empty for not at all.
    pub encodings: Vec<Encoding>,
    /// Shorter ones are not, bytes. Default 1 KiB.
    pub min: u64,
    /// Which types are, `type/subtype` or `type/*`. Default texts, JSON, JavaScript, XML, SVG, WebAssembly.
    pub types: Vec<String>,
}

impl FilesSpec {
    /// What lies at `root`, and everything else by default.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self {
            root,
            index: vec!["index.html".to_owned()],
            listing: false,
            fallback: None,
            error_pages: Vec::new(),
            precompressed: vec![Encoding::Br, Encoding::Zstd, Encoding::Gzip],
            dot_files: false,
            links: Links::default(),
            cache: true,
            types: Vec::new(),
        }
    }
}

impl CompressSpec {
    /// Types that shrink.
    pub const TYPES: [&str; 9] = [
        "text/*",
        "application/json",
        "application/ld+json",
        "application/javascript",
        "application/manifest+json",
        "application/wasm",
        "application/xml",
        "application/xhtml+xml",
        "image/svg+xml",
    ];

    /// Not at all.
    #[must_use]
    pub fn off() -> Self {
        Self { encodings: Vec::new(), ..Self::on() }
    }

    /// Brotli and gzip, everything else by default.
    #[must_use]
    pub fn on() -> Self {
        Self {
            encodings: vec![Encoding::Br, Encoding::Gzip],
            min: 1 << 10,
            types: Self::TYPES.map(str::to_owned).to_vec(),
        }
    }
}

/// `Cache-Control` of answers with a status below 400.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CacheRule {
    /// Paths, in which `*` stands for any text, slashes too.
    pub paths: String,
    /// The header's value, such as `public, max-age=3600`.
    pub value: String,
}

/// What is written about requests, to standard output, so that it is in the service's log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessLogSpec {
    /// How. Default [`AccessLogFormat::Off`].
    pub format: AccessLogFormat,
    /// Of a hundred requests so many; those answered with 500 and above always. Default 100.
    pub sample_percent: u32,
}

/// How a line of the access log looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AccessLogFormat {
    /// There is none.
    #[default]
    Off,
    /// An object of JSON.
    Json,
    /// As Apache and nginx write it by that name.
    Combined,
}

impl Default for AccessLogSpec {
    fn default() -> Self {
        Self { format: AccessLogFormat::Off, sample_percent: 100 }
    }
}
