//! The worker that orders: whoever holds the lock.

use std::convert::Infallible;
use std::path::Path;
use std::time::Duration;

use instant_acme::{Account, CertificateIdentifier};
use remuda_model::gateway::{AcmeChallenge, AcmeSpec, HostPattern};
use remuda_sys::lock::{Lock, LockError, try_lock};

use super::folder::{self, Folder};
use super::order::{self, OrderError, Wish};
use super::schedule::Attempts;
use super::{Pace, account};
use crate::server::Server;
use crate::tls::{Certificate, now};

/// How long an authority's word about renewal is good when it does not say. 6 h, as RFC 9773 has it.
const ASK_AGAIN: Duration = Duration::from_secs(6 * 60 * 60);

/// Keeps certificates for the hosts of `spec`, while no other worker does.
pub async fn keep(spec: AcmeSpec, pace: Pace, server: &Server) -> Infallible {
    if !spec.terms_agreed {
        log::error!(
            "no certificates are ordered at {}: its terms are not agreed to; set terms_agreed = true",
            spec.directory
        );
        return std::future::pending().await;
    }
    let folder = Folder::new(&spec.state_dir);
    let _lock = hold(&folder, &pace).await;
    log::info!("certificates are ordered by this worker, at {}", spec.directory);
    let mut keeper = Keeper { folder, account: None, spec, pace, server };
    loop {
        keeper.look().await;
        tokio::time::sleep(keeper.pace.look).await;
    }
}

/// Waits until nobody else orders.
async fn hold(folder: &Folder, pace: &Pace) -> Lock {
    let mut is_told = false;
    loop {
        let held =
            folder.make().map_err(|error| error.to_string()).and_then(|()| match try_lock(&folder.lock()) {
                Ok(lock) => Ok(Some(lock)),
                Err(LockError::Held { .. }) => Ok(None),
                Err(error) => Err(error.to_string()),
            });
        match held {
            Ok(Some(lock)) => return lock,
            Ok(None) => {}
            Err(error) if !is_told => {
                is_told = true;
                log::error!("keep certificates in {}: {error}; none is ordered", folder.root().display());
            }
            Err(_) => {}
        }
        tokio::time::sleep(pace.look).await;
    }
}

struct Keeper<'a> {
    folder: Folder,
    account: Option<Account>,
    spec: AcmeSpec,
    pace: Pace,
    server: &'a Server,
}

impl Keeper<'_> {
    /// Looks at each host once, and orders what is due.
    async fn look(&mut self) {
        for host in self.spec.hosts.clone() {
            // A name that is none would be the name of some file.
            if host.parse::<HostPattern>().is_ok_and(|pattern| pattern.suffix().is_none()) {
                self.look_at(&host).await;
            }
        }
    }

    async fn look_at(&mut self, host: &str) {
        let (path, certificate) = (self.folder.attempts(host), self.folder.certificate(host));
        let read = on_disk(move || {
            let attempts: Option<Attempts> = folder::read_json(&path).ok().flatten();
            (attempts.unwrap_or_default(), Certificate::read(&certificate, &certificate).ok())
        });
        let Some((mut attempts, certificate)) = read.await else { return };
        let life = certificate.as_ref().map(|found| (found.not_before, found.not_after));
        let is_due = attempts.due(life) <= now();
        if !is_due {
            if let Some(certificate) = &certificate
                && attempts.ask_at <= now()
                && attempts.not_before <= now()
            {
                self.ask(host, certificate, &mut attempts).await;
                self.note(host, &attempts).await;
            }
            return;
        }
        match self.order(host, certificate.as_ref(), &attempts).await {
            Ok(()) => attempts.succeeded(),
            Err(error) => self.failed(host, &error, &mut attempts, life),
        }
        self.note(host, &attempts).await;
    }

    /// The account, opened when it is needed.
    async fn account(&mut self) -> Result<Account, OrderFailure> {
        if let Some(account) = &self.account {
            return Ok(account.clone());
        }
        let account = account::open(&self.spec, &self.folder).await?;
        self.account = Some(account.clone());
        Ok(account)
    }

    async fn order(
        &mut self,
        host: &str,
        old: Option<&Certificate>,
        attempts: &Attempts,
    ) -> Result<(), OrderFailure> {
        let within = self.pace.order;
        let late = |_elapsed| OrderFailure::Order(OrderError::Late(within));
        let account = tokio::time::timeout(within, self.account()).await.map_err(late)??;
        let ways = &self.spec.challenges;
        let way = ways.get(attempts.way(ways.len())).copied().unwrap_or(AcmeChallenge::Http01);
        let wish = Wish {
            host,
            way,
            profile: self.spec.profile.as_deref(),
            replaces: old.and_then(identifier),
            within,
        };
        let placed = Box::pin(order::place(&account, &self.folder, &wish));
        let text = tokio::time::timeout(within, placed).await.map_err(late)??;
        self.store(host, text).await
    }

    /// In the place of the one before, once it is known to be whole.
    async fn store(&self, host: &str, text: String) -> Result<(), OrderFailure> {
        let path = self.folder.certificate(host);
        let stored = on_disk(move || store(&path, &text)).await;
        let issued =
            stored.unwrap_or(Err(OrderFailure::Unusable("the thread that writes it ended".to_owned())))?;
        let days = issued.not_after.saturating_sub(now()) / (24 * 60 * 60);
        log::info!("a certificate for {host} was issued; it holds for {days} days");
        self.server.figures().count("acme-issued");
        Ok(())
    }

    fn failed(
        &mut self,
        host: &str,
        error: &OrderFailure,
        attempts: &mut Attempts,
        life: Option<(i64, i64)>,
    ) {
        self.server.figures().count("acme-failed");
        let order = if let OrderFailure::Order(order) = error { Some(order) } else { None };
        if order.is_some_and(OrderError::is_without_account) {
            self.account = None;
            let _gone = std::fs::remove_file(self.folder.account(&self.spec.directory));
        }
        let is_limited = order.is_some_and(OrderError::is_limited);
        let chance = u32::from_le_bytes(remuda_sys::random::bytes().unwrap_or_default()) % 1000;
        attempts.failed(now(), is_limited, error.to_string(), &self.pace, chance);
        let wait = attempts.not_before.saturating_sub(now());
        let state = match life {
            Some((_, until)) if until > now() => "the one before stays in use",
            _ => "there is none that holds",
        };
        log::warn!("order a certificate for {host}: {error}; {state}; it is tried again in {wait} s");
    }

    /// Asks the authority when it wants the certificate renewed.
    async fn ask(&mut self, host: &str, certificate: &Certificate, attempts: &mut Attempts) {
        let again =
            |after: Duration| now().saturating_add(i64::try_from(after.as_secs()).unwrap_or(i64::MAX));
        attempts.ask_at = again(ASK_AGAIN);
        let Some(identifier) = identifier(certificate) else { return };
        let within = self.pace.order;
        let Ok(Ok(account)) = tokio::time::timeout(within, self.account()).await else { return };
        match tokio::time::timeout(within, account.renewal_info(&identifier)).await {
            Ok(Ok((told, after))) => {
                let window = &told.suggested_window;
                let (start, end) = (window.start.unix_timestamp(), window.end.unix_timestamp());
                let chance = i64::from(u16::from_le_bytes(remuda_sys::random::bytes().unwrap_or_default()));
                // One moment of the window, at random, and always the same until the window moves.
                let is_inside = attempts.renew_at.is_some_and(|at| (start..=end).contains(&at));
                if !is_inside {
                    let span = end.saturating_sub(start).max(0);
                    let at = start.saturating_add(span / i64::from(u16::MAX).saturating_add(1) * chance);
                    attempts.renew_at = Some(at);
                }
                attempts.ask_at = again(after.max(self.pace.look));
            }
            Ok(Err(error)) => log::debug!("ask when {host} is to be renewed: {error}"),
            Err(_late) => {}
        }
    }

    async fn note(&self, host: &str, attempts: &Attempts) {
        let (path, attempts) = (self.folder.attempts(host), attempts.clone());
        let shown = path.display().to_string();
        if let Some(Err(error)) = on_disk(move || folder::write_json(&path, &attempts)).await {
            log::warn!("write {shown}: {error}; after a restart it is tried at once");
        }
    }
}

/// Has a thread wait for the disk in the loop's place; `None`: it ended before it was done.
async fn on_disk<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    tokio::task::spawn_blocking(work).await.ok()
}

fn store(path: &Path, text: &str) -> Result<Certificate, OrderFailure> {
    let trial = path.with_extension("trial");
    let keep = |source| OrderFailure::Keep { path: path.display().to_string(), source };
    folder::write(&trial, text.as_bytes()).map_err(keep)?;
    let issued = match Certificate::read(&trial, &trial) {
        Ok(issued) => issued,
        Err(error) => {
            let _gone = std::fs::remove_file(&trial);
            return Err(OrderFailure::Unusable(error.to_string()));
        }
    };
    std::fs::rename(&trial, path).map_err(keep)?;
    Ok(issued)
}

fn identifier(certificate: &Certificate) -> Option<CertificateIdentifier<'static>> {
    let leaf = certificate.key.cert.first()?;
    CertificateIdentifier::try_from(leaf).ok().map(CertificateIdentifier::into_owned)
}

/// No certificate came of it.
#[derive(Debug, thiserror::Error)]
enum OrderFailure {
    #[error(transparent)]
    Account(#[from] account::AccountError),
    #[error(transparent)]
    Order(#[from] OrderError),
    #[error("what was issued cannot be used: {0}")]
    Unusable(String),
    #[error("write {path}: {source}")]
    Keep { path: String, source: std::io::Error },
}
