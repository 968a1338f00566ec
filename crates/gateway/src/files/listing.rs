//! A folder as a page, and as JSON.

use std::fs::{File, Metadata};
use std::io;
use std::os::fd::AsRawFd as _;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;

use crate::server::escape;

#[cfg(test)]
mod tests;

/// Names of one folder that are listed; of more, the first that the file system tells.
pub const NAMES_MAX: usize = 10_000;

/// A folder's content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Listing {
    /// The folder, as it is asked for, with a slash at its end.
    pub path: String,
    /// What is in it: folders first, then by name.
    pub entries: Vec<Entry>,
    /// Whether there is more than is listed.
    pub is_cut: bool,
}

/// One name in a folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// The name; what of it is not UTF-8 is replaced.
    pub name: String,
    /// Whether it is a folder.
    pub is_folder: bool,
    /// Bytes, of a file.
    pub size: u64,
    /// When it was changed: seconds since 1970.
    pub modified: u64,
    /// The name as it stands in a path that asks for it: every byte of it, percent-encoded where it has to be.
    pub href: String,
}

impl Listing {
    /// Reads what is in `folder`, which is asked for as `path`. Hidden files are left out unless `with_hidden`, and so is
    /// what `look` does not find: it looks up names of the folder by the rule that serves them.
    ///
    /// # Errors
    /// The folder cannot be read.
    pub fn read(
        folder: &File,
        path: &str,
        with_hidden: bool,
        look: impl Fn(&[u8]) -> io::Result<Metadata>,
    ) -> io::Result<Self> {
        let (mut entries, mut is_cut) = (Vec::new(), false);
        // By its descriptor: the name may mean another folder by now.
        for entry in std::fs::read_dir(format!("/proc/self/fd/{}", folder.as_raw_fd()))? {
            let name = entry?.file_name();
            let bytes = name.as_encoded_bytes();
            if bytes.starts_with(b".") && bytes != b".well-known" && !with_hidden {
                continue;
            }
            if entries.len() == NAMES_MAX {
                is_cut = true;
                break;
            }
            // Gone again, a link to nowhere, or one that is not followed: of its target nothing is told.
            let Ok(found) = look(bytes) else { continue };
            if !found.is_dir() && !found.is_file() {
                continue;
            }
            let modified = found.modified().unwrap_or(UNIX_EPOCH);
            let modified = modified.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
            let size = if found.is_file() { found.len() } else { 0 };
            let (href, name) = (percent_encode(bytes), name.to_string_lossy().into_owned());
            entries.push(Entry { name, is_folder: found.is_dir(), size, modified, href });
        }
        entries.sort_by(|one, two| two.is_folder.cmp(&one.is_folder).then_with(|| one.name.cmp(&two.name)));
        Ok(Self { path: path.to_owned(), entries, is_cut })
    }

    /// As a page that is complete in itself, light or dark as the reader likes.
    #[must_use]
    pub fn html(&self) -> String {
        let title = escape(&self.path);
        let mut rows = String::new();
        if self.path != "/" {
            rows.push_str("<tr><td><a href=\"../\">..</a></td><td></td><td></td></tr>\n");
        }
        for entry in &self.entries {
            let slash = if entry.is_folder { "/" } else { "" };
            let (href, name) = (&entry.href, escape(&entry.name));
            let size = if entry.is_folder { String::new() } else { readable(entry.size) };
            let modified = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(entry.modified);
            let modified = httpdate::fmt_http_date(modified);
            let modified = modified.get(5..22).unwrap_or_default();
            rows.push_str(&format!(
                "<tr><td><a href=\"./{href}{slash}\">{name}{slash}</a></td><td>{size}</td><td>{modified}</td></tr>\n"
            ));
        }
        let more = if self.is_cut { "<p>There is more than is listed here.</p>" } else { "" };
        format!(
            "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
            <meta name=\"viewport\" content=\"width=device-width\"><title>{title}</title><style>{STYLE}</style></head>\n\
            <body><h1>{title}</h1>\n<table><thead><tr><th>Name</th><th>Size</th><th>Changed</th></tr></thead>\n\
            <tbody>\n{rows}</tbody></table>{more}</body></html>\n"
        )
    }

    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        let mut text = serde_json::to_string(self).unwrap_or_default();
        text.push('\n');
        text
    }
}

const STYLE: &str = ":root{color-scheme:light dark}body{font:15px/1.5 system-ui,sans-serif;max-width:56rem;\
    margin:3rem auto;padding:0 1.25rem}h1{font-size:1.25rem;font-weight:600;overflow-wrap:anywhere}\
    table{width:100%;border-collapse:collapse}th{text-align:left;font-weight:500;opacity:.6;font-size:.85rem}\
    th,td{padding:.3rem .5rem;border-bottom:1px solid color-mix(in srgb,currentColor 14%,transparent)}\
    td:first-child{overflow-wrap:anywhere}td:nth-child(n+2),th:nth-child(n+2){text-align:right;white-space:nowrap;\
    font-variant-numeric:tabular-nums}td:nth-child(n+2){opacity:.7}a{text-decoration:none;color:light-dark(#0b57d0,#8ab4f8)}\
    a:hover{text-decoration:underline}tr:hover td{background:color-mix(in srgb,currentColor 4%,transparent)}";

/// `name` as part of a path in a link.
#[must_use]
pub fn percent_encode(name: &[u8]) -> String {
    let mut out = String::with_capacity(name.len());
    for &byte in name {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                out.push(char::from(byte));
            }
            byte => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// 1536 as `1.5 KiB`.
fn readable(size: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if size < 1024 {
        return format!("{size} B");
    }
    // In tenths, so that nothing is rounded up to 1024.0 of a unit.
    let (mut tenths, mut unit) = (size.saturating_mul(10) / 1024, 0);
    while tenths >= 10_240 && unit + 1 < UNITS.len() {
        tenths /= 1024;
        unit += 1;
    }
    format!("{}.{} {}", tenths / 10, tenths % 10, UNITS[unit])
}
