//! Certificates on disk, looked at again and again.
//!
//! Whoever renews a certificate writes two files, one after the other and neither at once. What changed is therefore read
//! only when it has been the same for two looks, and taken only when it is whole and fits together; else the one before
//! stays in use, and why is said once for each state of the files.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::certificate::{Certificate, CertificateError};
use super::settings::Place;
use crate::server::Server;

/// From one look to the next: what is renewed is in use after two.
pub(super) const LOOK_EVERY: Duration = Duration::from_secs(1);

/// What a file looked like: inode, size, and when it was written, in nanoseconds.
type Stamp = Option<(u64, u64, i64, i64)>;

/// One certificate's files.
#[derive(Debug)]
pub(super) struct Watched {
    pub(super) place: Place,
    /// The one in use.
    pub(super) current: Option<Certificate>,
    /// What the files looked like when they were read.
    read: Option<[Stamp; 2]>,
    /// What they looked like at the last look.
    seen: Option<[Stamp; 2]>,
    /// Why the files as they are now cannot be used.
    pub(super) problem: Option<String>,
    /// Up to which age it was told that the one in use is about to end.
    told: Age,
}

/// What a look found.
#[derive(Debug)]
pub(super) enum Found {
    /// Nothing new.
    Same,
    /// Another certificate is in use from now on.
    Changed,
    /// The files cannot be used; the one before stays.
    Refused(CertificateError),
    /// The files have a certificate that does not hold, while the one before does and stays.
    Expired,
}

impl Watched {
    pub(super) fn new(place: Place) -> Self {
        Self { place, current: None, read: None, seen: None, problem: None, told: Age::Fresh }
    }

    /// Reads the files at once, as they are.
    pub(super) fn read_first(&mut self) -> Found {
        let stamps = self.stamps();
        self.seen = Some(stamps);
        self.read(stamps)
    }

    /// Looks whether they changed, and reads them when they have settled.
    pub(super) fn look(&mut self) -> Found {
        let stamps = self.stamps();
        let has_settled = self.seen.replace(stamps) == Some(stamps);
        if !has_settled || self.read == Some(stamps) {
            return Found::Same;
        }
        self.read(stamps)
    }

    fn read(&mut self, stamps: [Stamp; 2]) -> Found {
        self.read = Some(stamps);
        match Certificate::read(&self.place.certificate, &self.place.key) {
            Ok(new) => self.take(new),
            // One that was never there is waited for.
            Err(error) if error.is_missing() && !self.place.must_exist && self.current.is_none() => {
                Found::Same
            }
            Err(error) => {
                self.problem = Some(error.to_string());
                Found::Refused(error)
            }
        }
    }

    fn take(&mut self, new: Certificate) -> Found {
        let now = now();
        if !new.is_valid_at(now) && self.current.as_ref().is_some_and(|old| old.is_valid_at(now)) {
            self.problem = Some("the certificate in the files does not hold now".to_owned());
            return Found::Expired;
        }
        self.problem = None;
        self.current = Some(new);
        Found::Changed
    }

    fn stamps(&self) -> [Stamp; 2] {
        [stamp(&self.place.certificate), stamp(&self.place.key)]
    }
}

fn stamp(path: &Path) -> Stamp {
    let found = fs::metadata(path).ok()?;
    Some((found.ino(), found.size(), found.mtime(), found.mtime_nsec()))
}

/// Unix seconds.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// How much of a certificate's life is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Age {
    #[default]
    Fresh,
    /// Less than a third is left.
    Third,
    /// Less than a sixth is left.
    Sixth,
    Expired,
}

impl Age {
    fn at(now: i64, not_before: i64, not_after: i64) -> Self {
        let (life, left) = (not_after.saturating_sub(not_before), not_after.saturating_sub(now));
        match left {
            left if left < 0 => Self::Expired,
            left if left < life / 6 => Self::Sixth,
            left if left < life / 3 => Self::Third,
            _ => Self::Fresh,
        }
    }
}

impl Watched {
    /// Tells what a look found; `true`: another certificate is to be offered.
    pub(super) fn say(&mut self, found: Found, server: &Server) -> bool {
        let path = self.place.certificate.display();
        let is_changed = match found {
            Found::Same => false,
            Found::Changed => {
                let title = self.current.as_ref().map_or_else(String::new, Certificate::title);
                log::info!("a new certificate for {title} is in use, from {path}");
                server.figures().count("certificate-renewed");
                self.told = Age::Fresh;
                true
            }
            Found::Refused(error) => {
                let state =
                    if self.current.is_some() { "the one before stays in use" } else { "there is none" };
                log::warn!("{error}; {state}");
                server.figures().count("certificate-refused");
                false
            }
            Found::Expired => {
                log::warn!("the new certificate in {path} does not hold now; the one before stays in use");
                server.figures().count("certificate-refused");
                false
            }
        };
        self.warn();
        is_changed
    }

    /// Says that a certificate is about to end, once for each age. One that is renewed by us is new again in its last
    /// third, so that only the last sixth is worth a word.
    pub(super) fn warn(&mut self) {
        let Some(current) = &self.current else { return };
        let now = now();
        let age = Age::at(now, current.not_before, current.not_after);
        let is_worth_it = age > Age::Third || (age == Age::Third && self.place.must_exist);
        if age <= self.told || !is_worth_it {
            return;
        }
        self.told = age;
        let (path, title) = (self.place.certificate.display(), current.title());
        let days = current.not_after.saturating_sub(now) / (24 * 60 * 60);
        if age == Age::Expired {
            log::error!("the certificate for {title} in {path} has expired; clients refuse it");
        } else {
            log::warn!("the certificate for {title} in {path} ends in {days} days");
        }
    }
}

#[cfg(test)]
mod tests;
