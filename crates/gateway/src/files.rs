//! Files of a folder, as RFC 9110 and 9111 would have them served.
//!
//! [`Files`] answers for one folder. What a path means is asked of the kernel, which keeps it beneath the folder
//! ([`remuda_sys::transfer::open_beneath`]); what was found is kept open and looked at again after a second
//! (`shelf`), so that a popular file costs no call at all until it is written: one of up to 64 KiB is answered from
//! memory, a larger one is sent by the kernel. What the answer is follows from pure rules: [`conditional`] requests,
//! [`ranges`], the [`negotiate`]d form.

pub mod cache_rules;
pub mod conditional;
pub mod listing;
pub mod negotiate;
mod partial;
pub mod ranges;
mod shelf;
pub mod types;

use std::io;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::rc::Rc;
use std::time::Instant;

use bytes::Bytes;
use remuda_model::gateway::FilesSpec;
use remuda_sys::transfer;
use remuda_wire::http::{Method, decode_segment};

use crate::server::{Body, Request, Response, error_response};
use conditional::Verdict;
use listing::{Listing, percent_encode};
use shelf::{Found, Shelf, Stored};

/// What is answered to who asks what can be done with a file.
const ALLOW: &str = "GET, HEAD, OPTIONS";

/// A folder cannot be served.
#[derive(Debug, thiserror::Error)]
#[error("serve the files in {path}: {source}; nothing is served from there", path = path.display())]
pub struct FilesError {
    /// The folder.
    pub path: PathBuf,
    /// Why.
    pub source: io::Error,
}

/// Serves the files of one folder.
#[derive(Debug)]
pub struct Files {
    spec: FilesSpec,
    root: OwnedFd,
    /// Where the spec names a file and not a folder: its name.
    only: Option<Vec<u8>>,
    shelf: Shelf,
}

impl Files {
    /// For the folder of `spec`, or its file.
    ///
    /// # Errors
    /// It is neither, or cannot be entered.
    pub fn open(spec: FilesSpec) -> Result<Self, FilesError> {
        let failed = |source| FilesError { path: spec.root.clone(), source };
        let is_folder = std::fs::metadata(&spec.root).map_err(failed)?.is_dir();
        let name = spec.root.file_name().map(|name| name.as_encoded_bytes().to_vec());
        let (folder, only) = match (is_folder, spec.root.parent()) {
            (false, Some(parent)) => (parent, name),
            _ => (spec.root.as_path(), None),
        };
        let root = transfer::open_folder(folder).map_err(failed)?;
        let shelf = Shelf::new(spec.cache);
        Ok(Self { spec, root, only, shelf })
    }

    /// Answers `request` with what lies at `path`: in the normal form of [`remuda_wire::http::normalize`], below the
    /// folder, with a slash at its front. Where that is not the path of the request itself, because a route took
    /// something off, redirections still name the request's.
    pub async fn respond(&self, request: &Request, path: &[u8]) -> Response {
        match request.head.method() {
            Method::Get | Method::Head => {}
            Method::Options => return Response::new(204).field("Allow", ALLOW),
            _ => {
                let detail = "files can be read, and nothing else";
                return self.error(request, 405, detail).field("Allow", ALLOW);
            }
        }
        match self.find(path, Instant::now()) {
            Ok(Found::File(stored)) => self.answer(request, &stored),
            Ok(Found::Folder(folder)) => self.folder(request, path, folder).await,
            Err(error) => self.missing(request, path, &error),
        }
    }

    /// What lies at `path`.
    fn find(&self, path: &[u8], now: Instant) -> io::Result<Found> {
        if let Some(stored) = self.shelf.get(path, now) {
            return Ok(Found::File(stored));
        }
        let name = self.only.clone().or_else(|| self.name(path)).ok_or(io::ErrorKind::NotFound)?;
        self.shelf.look(&self.root, path, &name, &self.spec, now)
    }

    /// The name in the folder that `path` stands for, unless it cannot or must not be one.
    fn name(&self, path: &[u8]) -> Option<Vec<u8>> {
        let path = path.strip_prefix(b"/")?;
        if path.is_empty() {
            return Some(b".".to_vec());
        }
        let body = path.strip_suffix(b"/").unwrap_or(path);
        for segment in body.split(|byte| *byte == b'/') {
            let is_hidden = segment.first() == Some(&b'.') && segment != b".well-known";
            // A slash in a segment is none in any name; an empty segment would be another path for the same file.
            if segment.is_empty() || (is_hidden && !self.spec.dot_files) || has_encoded_slash(segment) {
                return None;
            }
        }
        Some(decode_segment(path))
    }

    /// The answer that is the file, part of it, or that there is no need for it.
    fn answer(&self, request: &Request, stored: &Rc<Stored>) -> Response {
        let fields = request.head.fields();
        let form = stored.form(fields);
        let verdict = form.validators.judge(request.head.method(), fields);
        let mut response = Response::new(200);
        response.head.fields = form.fields.clone();
        match verdict {
            Verdict::NotModified => {
                response.head.status = 304;
                response.head.fields.remove("Content-Type");
                response
            }
            Verdict::Failed => self.error(request, 412, "the file is not in the state that was asked for"),
            Verdict::Proceed => partial::fill(response, form, request),
        }
    }

    async fn folder(&self, request: &Request, path: &[u8], folder: std::fs::File) -> Response {
        if !path.ends_with(b"/") {
            return redirect_to_folder(request);
        }
        for index in &self.spec.index {
            let inner = [path, index.as_bytes()].concat();
            if let Ok(Found::File(stored)) = self.find(&inner, Instant::now()) {
                return self.answer(request, &stored);
            }
        }
        if !self.spec.listing {
            return self.missing(request, path, &io::ErrorKind::NotFound.into());
        }
        let shown = String::from_utf8_lossy(&decode_segment(request.head.path())).into_owned();
        let (hidden, links) = (self.spec.dot_files, shelf::links(&self.spec));
        let Some((root, inner)) = self.root.try_clone().ok().zip(self.name(path)) else {
            return self.error(request, 503, "too many files are open");
        };
        // A large folder takes its time to read.
        let read = tokio::task::spawn_blocking(move || {
            let look =
                |name: &[u8]| transfer::look_beneath(&root, &[inner.as_slice(), b"/", name].concat(), links);
            Listing::read(&folder, &shown, hidden, look)
        });
        match read.await.map_err(io::Error::other).and_then(|listing| listing) {
            Ok(listing) => list(request, &listing),
            Err(error) => self.missing(request, path, &error),
        }
    }

    /// Nothing is there, or nothing that may be seen.
    fn missing(&self, request: &Request, path: &[u8], error: &io::Error) -> Response {
        let (status, detail) = match error {
            error if transfer::is_no_such_file(error) => (404, "there is no such file"),
            error if transfer::is_want_of_descriptors(error) => (503, "too many files are open"),
            error if error.kind() == io::ErrorKind::PermissionDenied => (403, "this file may not be read"),
            _ => (500, "the file cannot be read"),
        };
        if status == 404
            && let Some(fallback) = &self.spec.fallback
            && wants_page(request, path)
            && let Ok(Found::File(stored)) = self.find(&beneath(fallback), Instant::now())
        {
            return self.answer(request, &stored);
        }
        self.error(request, status, detail)
    }

    /// The page of an error, the folder's own where it has one.
    fn error(&self, request: &Request, status: u16, detail: &str) -> Response {
        let own = self.spec.error_pages.iter().find(|(each, _)| *each == status);
        if let Some(Ok(Found::File(stored))) = own.map(|(_, path)| self.find(&beneath(path), Instant::now()))
        {
            let form = stored.form(request.head.fields());
            let mut response = Response::new(status).field("Cache-Control", "no-store");
            for (name, value) in form.fields.iter() {
                let name = str::from_utf8(name).unwrap_or_default();
                if ["content-type", "content-encoding", "vary"]
                    .iter()
                    .any(|each| name.eq_ignore_ascii_case(each))
                {
                    response.head.fields.append(name, value);
                }
            }
            response.body = form.body(0..form.size);
            return response;
        }
        error_response(status, detail, request.id, Some(&request.head))
    }
}

/// A path of the spec, as one that is asked for.
fn beneath(path: &str) -> Vec<u8> {
    let path = path.trim_start_matches('/').replace('%', "%25");
    format!("/{path}").into_bytes()
}

fn has_encoded_slash(segment: &[u8]) -> bool {
    memchr::memmem::find(segment, b"%2F").is_some()
}

/// Whether a client that asks for what is not there is somebody who walks through a site: it wants a page, or asks for
/// something without an ending. A script that is missing is not answered with a page.
fn wants_page(request: &Request, path: &[u8]) -> bool {
    let accept = request.head.fields().get("accept").unwrap_or_default();
    let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
    memchr::memmem::find(accept, b"text/html").is_some() || !name.contains(&b'.')
}

/// To the same path with a slash at its end: links in a page are relative to it. It is built of the normal form, since
/// `//host/..` as it came would lead to another host.
fn redirect_to_folder(request: &Request) -> Response {
    let mut location = String::from("/");
    let path = decode_segment(request.head.path().strip_prefix(b"/").unwrap_or_default());
    location.push_str(&percent_encode(&path));
    location.push('/');
    if let Some(query) = request.head.query() {
        location.push('?');
        location.push_str(&String::from_utf8_lossy(query));
    }
    Response::new(301).field("Location", location)
}

fn list(request: &Request, listing: &Listing) -> Response {
    let accept = request.head.fields().get_str("accept").unwrap_or("");
    let wants_json = accept.contains("application/json") && !accept.contains("text/html");
    let (content_type, text) = if wants_json {
        ("application/json", listing.json())
    } else {
        ("text/html; charset=utf-8", listing.html())
    };
    let mut response = Response::new(200)
        .field("Content-Type", content_type)
        .field("Vary", "Accept")
        .field("Cache-Control", "no-cache")
        .field("X-Content-Type-Options", "nosniff");
    response.body = Body::from(Bytes::from(text));
    response
}
