//! A server with a plain and an encrypted listener, certificates, and clients that speak TLS.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use remuda_gateway::acme::{self, Pace};
use remuda_gateway::server::{Http2Limits, Limits, Listener, Server};
use remuda_gateway::tls::{Secured, Tls, TlsSettings};
use remuda_model::gateway::{CertificateSpec, GatewayMetrics, TlsSpec};
use remuda_model::hub::Secret;
use remuda_toolkit::adopt::StreamListener;
use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio::sync::{mpsc, oneshot};

use super::support::{Everything, PATIENCE};

/// An authority in a folder of its own.
pub(crate) struct Authority {
    pub(crate) folder: tempfile::TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// Days from now; before it if negative.
pub(crate) type Days = (i64, i64);

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(vec![]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.distinguished_name.push(DnType::CommonName, "tests");
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("authority.pem"), issuer.pem()).unwrap();
        Self { folder, issuer }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("authority.pem")
    }

    /// Certificate and key, PEM.
    pub(crate) fn issue(&self, hosts: &[&str], subject: &str, days: Days) -> (String, String) {
        let hosts: Vec<_> = hosts.iter().map(|host| (*host).to_owned()).collect();
        let mut params = CertificateParams::new(hosts).unwrap();
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, subject);
        let now = std::time::SystemTime::now();
        let at = |days: i64| {
            let span = Duration::from_secs(days.unsigned_abs() * 24 * 60 * 60);
            if days < 0 { now - span } else { now + span }
        };
        params.not_before = at(days.0).into();
        params.not_after = at(days.1).into();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        (certificate.pem(), key.serialize_pem())
    }

    /// Puts one in files of that name.
    pub(crate) fn put(&self, name: &str, hosts: &[&str], days: Days) -> CertificateSpec {
        let (certificate, key) = self.issue(hosts, name, days);
        let spec = self.spec(name);
        std::fs::write(&spec.certificate, certificate).unwrap();
        std::fs::write(&spec.key, key).unwrap();
        spec
    }

    pub(crate) fn spec(&self, name: &str) -> CertificateSpec {
        CertificateSpec {
            certificate: self.folder.path().join(format!("{name}.pem")),
            key: self.folder.path().join(format!("{name}.key")),
            hosts: vec![],
        }
    }

    /// What trusts it.
    pub(crate) fn roots(&self) -> RootCertStore {
        roots(&self.root())
    }
}

pub(crate) fn roots(path: &Path) -> RootCertStore {
    use rustls_pki_types::pem::PemObject as _;
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(path).unwrap()).unwrap();
    roots
}

/// Settings with these certificates, and nothing else.
pub(crate) fn settings(certificates: Vec<CertificateSpec>) -> TlsSettings {
    TlsSettings {
        spec: TlsSpec { sockets: vec!["https".parse().unwrap()], ..TlsSpec::default() },
        certificates,
        acme: None,
        secret: Secret::new([7; 32]),
        handshake: Duration::from_secs(10),
        trusted_proxies: vec![],
    }
}

/// A server in a thread; it ends when this is dropped.
pub(crate) struct SecureServer {
    pub(crate) http: SocketAddr,
    pub(crate) https: SocketAddr,
    quit: Option<oneshot::Sender<()>>,
    figures: mpsc::Sender<oneshot::Sender<GatewayMetrics>>,
    thread: Option<JoinHandle<GatewayMetrics>>,
}

/// What speaks HTTP/2 without TLS too.
pub(crate) fn limits() -> Limits {
    Limits { http2: Http2Limits { without_tls: true, ..Http2Limits::default() }, ..Limits::default() }
}

impl SecureServer {
    pub(crate) fn new(settings: TlsSettings) -> Self {
        Self::with(limits(), |_, _| settings, Pace::default())
    }

    /// `settings` is given the ports.
    pub(crate) fn with(limits: Limits, settings: impl FnOnce(u16, u16) -> TlsSettings, pace: Pace) -> Self {
        let bind = || TcpListener::bind("127.0.0.1:0").unwrap();
        let (plain, encrypted) = (bind(), bind());
        let (http, https) = (plain.local_addr().unwrap(), encrypted.local_addr().unwrap());
        let settings = settings(http.port(), https.port());
        let (quit, quitting) = oneshot::channel();
        let (figures, asked) = mpsc::channel(4);
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let local = tokio::task::LocalSet::new();
            local.block_on(&runtime, serve(limits, settings, (plain, encrypted), (quitting, asked), pace))
        });
        Self { http, https, quit: Some(quit), figures, thread: Some(thread) }
    }

    pub(crate) fn figures(&self) -> GatewayMetrics {
        let (answer, answered) = oneshot::channel();
        self.figures.blocking_send(answer).unwrap();
        answered.blocking_recv().unwrap()
    }

    /// Waits until the figures are so, with certificates among them.
    pub(crate) fn until(&self, is_so: impl Fn(&GatewayMetrics) -> bool) -> GatewayMetrics {
        let end = std::time::Instant::now() + PATIENCE;
        loop {
            let figures = self.figures();
            // The first look comes with the loop.
            if !figures.certificates.is_empty() && is_so(&figures) {
                return figures;
            }
            assert!(std::time::Instant::now() < end, "{figures:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    pub(crate) fn quit(&mut self) {
        drop(self.quit.take());
    }

    pub(crate) fn end(mut self) -> GatewayMetrics {
        self.quit();
        self.thread.take().unwrap().join().unwrap()
    }
}

impl Drop for SecureServer {
    fn drop(&mut self) {
        self.quit();
        if let Some(thread) = self.thread.take() {
            let _ended = thread.join();
        }
    }
}

async fn serve(
    limits: Limits,
    settings: TlsSettings,
    (plain, encrypted): (TcpListener, TcpListener),
    (quitting, mut asked): (oneshot::Receiver<()>, mpsc::Receiver<oneshot::Sender<GatewayMetrics>>),
    pace: Pace,
) -> GatewayMetrics {
    let tls = Tls::open(settings).unwrap();
    let listener = |name, socket| Listener::new(name, StreamListener::Tcp(socket)).unwrap().with_tls(&tls);
    let listeners = vec![listener("http", plain), listener("https", encrypted)];
    let server = Server::new(limits, vec![], 7);
    let handler = Rc::new(Secured::new(Everything::default(), Some(Rc::clone(&tls))));
    let quit = async {
        let _dropped = quitting.await;
    };
    let order = async {
        match tls.settings().acme.clone() {
            Some(spec) => acme::keep(spec, pace, &server).await,
            None => std::future::pending().await,
        }
    };
    let tell = async {
        while let Some(answer) = asked.recv().await {
            let _gone = answer.send(server.figures().tell());
        }
        std::future::pending::<()>().await;
    };
    tokio::select! {
        () = server.run(listeners, handler, quit, Duration::from_secs(5)) => {}
        never = tls.watch(&server) => match never {},
        never = order => match never {},
        () = tell => {}
    }
    server.figures().tell()
}

/// How a client speaks TLS.
#[derive(Clone)]
pub(crate) struct Dialer {
    pub(crate) config: ClientConfig,
}

impl Dialer {
    pub(crate) fn new(roots: RootCertStore) -> Self {
        Self::versions(roots, &[&rustls::version::TLS13, &rustls::version::TLS12])
    }

    pub(crate) fn versions(
        roots: RootCertStore,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        Self { config: builder.with_root_certificates(roots).with_no_client_auth() }
    }

    /// With a certificate of its own, PEM.
    pub(crate) fn with_certificate(roots: RootCertStore, (certificate, key): &(String, String)) -> Self {
        use rustls_pki_types::pem::PemObject as _;
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let chain = vec![CertificateDer::from_pem_slice(certificate.as_bytes()).unwrap()];
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes()).unwrap();
        let config = builder.with_root_certificates(roots).with_client_auth_cert(chain, key).unwrap();
        Self { config }
    }

    pub(crate) fn alpn(mut self, protocols: &[&str]) -> Self {
        self.config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
        self
    }

    pub(crate) fn without_memory(mut self) -> Self {
        self.config.resumption = Resumption::disabled();
        self
    }

    /// Connects and shakes hands.
    pub(crate) fn dial(&self, address: SocketAddr, host: &str) -> std::io::Result<Secure> {
        let mut stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let name = ServerName::try_from(host.to_owned()).unwrap();
        let mut connection = ClientConnection::new(Arc::new(self.config.clone()), name).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut stream)?;
        }
        Ok(Secure(StreamOwned::new(connection, stream)))
    }

    /// One request on a connection of its own: all that comes.
    pub(crate) fn ask(&self, address: SocketAddr, host: &str, path: &str) -> std::io::Result<String> {
        self.dial(address, host)?
            .ask(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"))
    }
}

/// A connection.
pub(crate) struct Secure(pub(crate) StreamOwned<ClientConnection, TcpStream>);

impl Secure {
    /// All until a proper end.
    pub(crate) fn ask(&mut self, request: &str) -> std::io::Result<String> {
        self.0.write_all(request.as_bytes())?;
        let mut all = Vec::new();
        self.0.read_to_end(&mut all)?;
        Ok(String::from_utf8_lossy(&all).into_owned())
    }

    pub(crate) fn protocol(&self) -> Option<&[u8]> {
        self.0.conn.alpn_protocol()
    }

    pub(crate) fn is_resumed(&self) -> bool {
        self.0.conn.handshake_kind() == Some(rustls::HandshakeKind::Resumed)
    }

    /// The subject of the certificate that was offered.
    pub(crate) fn offered(&self) -> String {
        use x509_parser::prelude::FromDer as _;
        let der = &self.0.conn.peer_certificates().unwrap()[0];
        let (_, certificate) = x509_parser::prelude::X509Certificate::from_der(der).unwrap();
        certificate.subject().to_string()
    }
}
