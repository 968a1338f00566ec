//! TLS for clients.
//!
//! A handshake begins with what the client says it wants; only then a certificate is chosen, whether the client is asked
//! for one of its own, or that this is an authority that looks at a host of ours ([`acme`](crate::acme)). Everything a
//! handshake is carried out with was made before, once for each certificate (`offer`), so that new certificates
//! (`watch`) come into use between two handshakes and touch no connection.
//!
//! What follows from it for requests (the way to `https`, who the client is) is [`Secured`]'s, around any handler.

mod certificate;
mod client;
mod handshake;
mod offer;
mod secured;
mod settings;
mod shelf;
mod tickets;
mod watch;

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::fmt;
use std::rc::Rc;
use std::sync::Arc;

use remuda_model::gateway::CertificateMetrics;
use rustls::ServerConfig;
use rustls::server::{ClientHello, ResolvesServerCertUsingSni};

use crate::acme::Challenges;
use crate::server::Server;

pub use certificate::CertificateError;
pub(crate) use certificate::{Certificate, fault};
pub use client::{AuthoritiesError, Client};
pub use handshake::{HandshakeError, Session};
use offer::{Maker, Offer};
pub use secured::Secured;
pub use settings::TlsSettings;
use shelf::Shelf;
pub(crate) use watch::now;
use watch::{Found, LOOK_EVERY, Watched};

/// What TLS is carried out with, by one worker.
pub struct Tls {
    settings: TlsSettings,
    maker: Maker,
    /// Away while a thread looks at the files.
    watched: RefCell<Vec<Watched>>,
    served: RefCell<Served>,
    /// For who wants what nobody has: a handshake that ends with an alert.
    refusing: Arc<ServerConfig>,
    challenges: Option<Rc<Challenges>>,
    /// The port of a listener that speaks TLS, for the way to it.
    port: Cell<Option<u16>>,
}

/// Certificates in use.
#[derive(Default)]
struct Served {
    shelf: Shelf,
    offers: Vec<Option<(Certificate, Offer)>>,
}

/// TLS cannot begin; nothing is served.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A certificate.
    #[error("{0}; the gateway does not begin without this certificate")]
    Certificate(#[from] CertificateError),
    /// Clients' authorities.
    #[error("{0}; the gateway does not begin without knowing whom to believe")]
    Authorities(#[from] AuthoritiesError),
}

impl Tls {
    /// Reads everything once.
    ///
    /// # Errors
    /// A certificate of the config, or what clients are verified with, cannot be used.
    pub fn open(settings: TlsSettings) -> Result<Rc<Self>, TlsError> {
        let maker = Maker::new(&settings.spec, &settings.secret)?;
        let mut watched: Vec<_> = settings.places().into_iter().map(Watched::new).collect();
        for each in &mut watched {
            match each.read_first() {
                Found::Refused(error) if each.place.must_exist => return Err(error.into()),
                Found::Refused(error) => log::warn!("{error}; another is ordered"),
                Found::Changed | Found::Same | Found::Expired => each.warn(),
            }
        }
        let refusing =
            ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
                .with_safe_default_protocol_versions()
                .expect("the provider has suites of both versions")
                .with_no_client_auth()
                .with_cert_resolver(Arc::new(ResolvesServerCertUsingSni::new()));
        let challenges = settings.acme.as_ref().map(|acme| Rc::new(Challenges::new(acme)));
        let tls = Rc::new(Self {
            settings,
            maker,
            watched: RefCell::default(),
            served: RefCell::default(),
            refusing: Arc::new(refusing),
            challenges,
            port: Cell::new(None),
        });
        tls.serve(&watched);
        tls.watched.replace(watched);
        Ok(tls)
    }

    /// What it was told.
    #[must_use]
    pub fn settings(&self) -> &TlsSettings {
        &self.settings
    }

    /// Whether the listener `name` is to speak it.
    #[must_use]
    pub fn is_for(&self, name: &str) -> bool {
        self.settings.spec.sockets.iter().any(|socket| socket.as_str() == name)
    }

    /// Keeps looking at the files, and tells `server`'s figures what is in use.
    pub async fn watch(&self, server: &Server) -> Infallible {
        loop {
            self.tell(server);
            tokio::time::sleep(LOOK_EVERY).await;
            let mut watched = self.watched.take();
            let looked = tokio::task::spawn_blocking(move || {
                let found: Vec<_> = watched.iter_mut().map(Watched::look).collect();
                (watched, found)
            });
            // A thread that dies takes its list along: what was served stays, and nothing new is found.
            let Ok((mut watched, found)) = looked.await else {
                server.figures().count("certificate-look-failed");
                continue;
            };
            let mut is_changed = false;
            for (each, found) in watched.iter_mut().zip(found) {
                is_changed |= each.say(found, server);
            }
            if is_changed {
                self.serve(&watched);
            }
            self.watched.replace(watched);
        }
    }

    /// Offers what is there from now on.
    fn serve(&self, watched: &[Watched]) {
        let mut served = self.served.borrow_mut();
        let offers = watched.iter().map(|each| {
            let certificate = each.current.clone()?;
            let offer = self.maker.offer(&certificate.key);
            Some((certificate, offer))
        });
        served.offers = offers.collect();
        let hosts = watched.iter().enumerate().filter_map(|(number, each)| {
            let names = &each.current.as_ref()?.names;
            Some((number, if each.place.hosts.is_empty() { names } else { &each.place.hosts }.as_slice()))
        });
        served.shelf = Shelf::new(hosts);
    }

    /// What the handshake of `hello` is carried out with; whether the client is asked for a certificate.
    fn choose(&self, hello: &ClientHello<'_>, name: Option<&str>) -> Option<(Arc<ServerConfig>, bool)> {
        let served = self.served.borrow();
        let schemes = hello.signature_schemes();
        let suits = |number: usize| {
            let offered = served.offers.get(number).and_then(Option::as_ref);
            offered.is_some_and(|(certificate, _)| certificate.key.key.choose_scheme(schemes).is_some())
        };
        let (_, offer) = served.offers.get(served.shelf.find(name, suits)?)?.as_ref()?;
        Some(match &offer.asked {
            Some(asked) if self.asks(name) => (Arc::clone(asked), true),
            _ => (Arc::clone(&offer.open), false),
        })
    }

    /// Whether clients of the host `name` are asked for a certificate.
    pub(crate) fn asks(&self, name: Option<&str>) -> bool {
        self.settings.spec.client.as_ref().is_some_and(|client| {
            client.hosts.is_empty()
                || name.is_some_and(|name| client.hosts.iter().any(|host| host.matches(name)))
        })
    }

    /// Who answers authorities, where certificates are ordered.
    #[must_use]
    pub fn challenges(&self) -> Option<&Rc<Challenges>> {
        self.challenges.as_ref()
    }

    pub(crate) fn set_port(&self, port: u16) {
        self.port.set(self.port.get().or(Some(port)));
    }

    fn tell(&self, server: &Server) {
        let watched = self.watched.borrow();
        let figures = watched.iter().map(|each| CertificateMetrics {
            file: each.place.certificate.display().to_string(),
            hosts: each.current.as_ref().map_or_else(String::new, Certificate::title),
            not_after: each.current.as_ref().map(|certificate| certificate.not_after),
            problem: each.problem.clone(),
        });
        server.figures().set_certificates(figures.collect());
    }
}

impl fmt::Debug for Tls {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tls").field("settings", &self.settings).finish_non_exhaustive()
    }
}
