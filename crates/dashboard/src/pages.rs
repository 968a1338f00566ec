//! The built pages, in the program.

/// A file of the pages.
#[derive(Debug)]
struct Asset {
    /// Below the root, without a slash in front.
    path: &'static str,
    content: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/assets.rs"));

/// The pages, if this program has any.
#[derive(Debug, Clone, Copy)]
pub struct Pages(&'static [Asset]);

/// A file as it is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Page {
    pub(crate) content: &'static [u8],
    pub(crate) media_type: &'static str,
    /// Its name changes with its content.
    pub(crate) is_lasting: bool,
}

impl Pages {
    /// The pages of this program.
    ///
    /// # Errors
    /// In a line, why there are none.
    pub fn built() -> Result<Self, &'static str> {
        BUILT.map(Self)
    }

    pub(crate) fn find(self, path: &str) -> Option<Page> {
        let path = path.strip_prefix('/')?;
        let path = if path.is_empty() { "index.html" } else { path };
        let asset = self.0.iter().find(|asset| asset.path == path)?;
        let media_type = match path.rsplit_once('.').map(|(_, ending)| ending) {
            Some("html") => "text/html; charset=utf-8",
            Some("js") => "text/javascript; charset=utf-8",
            Some("css") => "text/css; charset=utf-8",
            Some("svg") => "image/svg+xml",
            Some("txt") => "text/plain; charset=utf-8",
            _ => "application/octet-stream",
        };
        Some(Page { content: asset.content, media_type, is_lasting: path.starts_with("assets/") })
    }
}
