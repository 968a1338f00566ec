//! What TLS means for requests: the way to `https`, who the client is, and authorities that look at our hosts.

use std::rc::Rc;

use remuda_wire::http::{Head, Method};

use super::Tls;
use crate::acme;
use crate::server::{Ending, Handler, Request, Response, error_response};

/// The verified client's certificate (RFC 9440).
const CERTIFICATE: &str = "Client-Cert";
/// Its subject.
const SUBJECT: &str = "X-Client-Cert-Subject";

/// A handler behind TLS; without TLS it is as it was.
#[derive(Debug)]
pub struct Secured<H> {
    inner: H,
    tls: Option<Rc<Tls>>,
}

impl<H: Handler> Secured<H> {
    /// Puts what `tls` asks for before `inner`.
    pub fn new(inner: H, tls: Option<Rc<Tls>>) -> Self {
        Self { inner, tls }
    }
}

impl<H: Handler> Handler for Secured<H> {
    async fn handle(&self, request: &mut Request) -> Response {
        let Some(tls) = &self.tls else { return self.inner.handle(request).await };
        if let Some(token) = acme::token(request.head.path())
            && let Some(challenges) = tls.challenges()
            && let Some(answer) = challenges.answer(token).await
        {
            return Response::with_body(200, "application/octet-stream", answer);
        }
        let is_secure = is_secure(tls, request);
        if !is_secure && tls.settings().spec.redirect && request.peer.address.is_some() {
            return redirect(tls, &request.head);
        }
        if is_misdirected(tls, request) {
            let detail =
                "this host wants a certificate of the client, and this connection was made for another";
            return error_response(421, detail, request.id, Some(&request.head));
        }
        introduce(request);
        let mut response = self.inner.handle(request).await;
        if let Some(seconds) = tls.settings().spec.hsts
            && is_secure
            && !response.head.fields.contains("strict-transport-security")
        {
            response.head.fields.append("Strict-Transport-Security", format!("max-age={seconds}"));
        }
        response
    }

    fn ended(&self, request: &Request, ending: &Ending) {
        self.inner.ended(request, ending);
    }
}

/// Whether the client's own connection is encrypted, by our knowledge or by the word of a proxy that is trusted.
fn is_secure(tls: &Tls, request: &Request) -> bool {
    let trusted = &tls.settings().trusted_proxies;
    let is_trusted =
        request.peer.address.is_some_and(|address| trusted.iter().any(|range| range.contains(address.ip())));
    let says_so = || {
        let told = request.head.fields().get("x-forwarded-proto");
        told.is_some_and(|told| told.eq_ignore_ascii_case(b"https"))
    };
    request.peer.is_secure || (is_trusted && says_so())
}

/// Whether the host of the request asks clients for a certificate, while the one the connection was made for does not.
fn is_misdirected(tls: &Tls, request: &Request) -> bool {
    let Some(session) = &request.peer.tls else { return false };
    let host = split_host(request.head.host()).0.to_ascii_lowercase();
    !session.is_asked && tls.asks(str::from_utf8(&host).ok())
}

/// Says who the client is, and lets nobody else say it.
fn introduce(request: &mut Request) {
    let client = request.peer.tls.as_ref().and_then(|session| session.client.clone());
    let fields = request.head.fields_mut();
    fields.remove(CERTIFICATE);
    fields.remove(SUBJECT);
    if let Some(client) = client {
        let text = data_encoding::BASE64.encode(&client.certificate);
        fields.append(CERTIFICATE, format!(":{text}:"));
        fields.append(SUBJECT, client.subject);
    }
}

/// 308: the client is to ask again, with the same method and body. A host with a port is one whose `https` is on a port
/// of its own too, and that is where we listen.
fn redirect(tls: &Tls, head: &Head) -> Response {
    let (host, port) = split_host(head.host());
    if host.is_empty() {
        return Response::with_body(400, "text/plain", "400 Bad Request\nthe request has no Host\n");
    }
    let mut location = b"https://".to_vec();
    location.extend_from_slice(host);
    if port.is_some_and(|port| port != b"80")
        && let Some(own) = tls.port.get().filter(|own| *own != 443)
    {
        location.extend_from_slice(format!(":{own}").as_bytes());
    }
    if *head.method() != Method::Options || head.origin_form() != b"*" {
        location.extend_from_slice(head.origin_form());
    }
    Response::new(308).field("Location", location)
}

/// A host, and its port if there is one.
fn split_host(host: &[u8]) -> (&[u8], Option<&[u8]>) {
    let from = memchr::memrchr(b']', host).unwrap_or(0);
    match memchr::memrchr(b':', &host[from..]) {
        Some(at) => (&host[..from + at], Some(&host[from + at + 1..])),
        None => (host, None),
    }
}
