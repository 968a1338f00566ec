//! From a request to its answer: the pages for all, the API for those who were let in.

use std::cell::RefCell;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use std::convert::Infallible;

use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, COOKIE, HeaderMap, HeaderName, HeaderValue,
    SET_COOKIE,
};
use hyper::{Method, Request, Response, StatusCode};
use serde::Deserialize;

use crate::attempts::Attempts;
use crate::guard;
use crate::keys::Keys;
use crate::pages::Pages;
use crate::place::Place;
use crate::session;
use crate::token::Role;

/// Longest body of a login, bytes; a token has 43.
const LOGIN_BYTES_MAX: usize = 1024;

/// On every answer: nothing is loaded, run, framed or told from or to anywhere else. uPlot sets styles by script, which
/// this policy does not concern.
const HEADERS: [(&str, &str); 5] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; \
         font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
];

#[derive(Debug, Deserialize)]
struct Login {
    token: String,
}

/// The body of an answer, ours and the API's.
pub type Body = UnsyncBoxBody<Bytes, Infallible>;

/// The door of one dashboard.
#[derive(Debug)]
pub(crate) struct Door<A> {
    /// Answers for the control API.
    pub(crate) api: A,
    pub(crate) pages: Pages,
    pub(crate) place: Place,
    pub(crate) hosts: Vec<String>,
    /// Port in the name of the cookie: browsers keep cookies of all ports of a host together.
    pub(crate) port: u16,
    pub(crate) attempts: RefCell<Attempts>,
}

impl<A: AsyncFn(Role, Request<Incoming>) -> Response<Body>> Door<A> {
    /// Answers one request.
    pub(crate) async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let mut response = if guard::is_our_host(request.headers(), &self.hosts) {
            self.admitted(request).await
        } else {
            told(StatusCode::FORBIDDEN, "not called by a name of this dashboard; [dashboard] hosts adds some")
        };
        for (name, value) in HEADERS {
            response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
        }
        debug_assert!(response.headers().contains_key(CONTENT_SECURITY_POLICY));
        response
    }

    async fn admitted(&self, request: Request<Incoming>) -> Response<Body> {
        let path = request.uri().path().to_owned();
        let is_asking = matches!(*request.method(), Method::GET | Method::HEAD);
        if !is_asking && !guard::is_our_page(request.headers()) {
            return told(
                StatusCode::FORBIDDEN,
                "what changes something has to come from the dashboard's own page",
            );
        }
        match (path.as_str(), is_asking) {
            ("/session", true) => self.told_session(request.headers()),
            ("/login", false) => self.login(request).await,
            ("/logout", false) => self.logged_out(),
            _ if path == "/v1" || path.starts_with("/v1/") => self.ask(request).await,
            (_, true) => self.page(&path),
            _ => told(StatusCode::METHOD_NOT_ALLOWED, "pages are for GET"),
        }
    }

    fn page(&self, path: &str) -> Response<Body> {
        let Some(page) = self.pages.find(path) else {
            return told(StatusCode::NOT_FOUND, "there is no such page");
        };
        let mut response = full(StatusCode::OK, page.media_type, Bytes::from_static(page.content));
        let lasting = if page.is_lasting { "public, max-age=31536000, immutable" } else { "no-cache" };
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static(lasting));
        response
    }

    async fn ask(&self, request: Request<Incoming>) -> Response<Body> {
        let Some(role) = self.role(request.headers()) else {
            return told(StatusCode::UNAUTHORIZED, "log in with a token; `remuda dashboard token` makes one");
        };
        let mut response = (self.api)(role, request).await;
        response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }

    /// Whose request it is. The file is read each time: a token that is renewed counts from the next request on.
    fn role(&self, headers: &HeaderMap) -> Option<Role> {
        let keys = Keys::read(&self.place).ok().flatten()?;
        let name = self.cookie();
        let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
        let mut cookies =
            cookies.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
        cookies.find_map(
            |(known, value)| if known == name { session::role_of(&keys, value, now()) } else { None },
        )
    }

    fn told_session(&self, headers: &HeaderMap) -> Response<Body> {
        match self.role(headers) {
            Some(role) => json(StatusCode::OK, &serde_json::json!({"role": role})),
            None => json(StatusCode::OK, &serde_json::json!({"role": null})),
        }
    }

    async fn login(&self, request: Request<Incoming>) -> Response<Body> {
        if !self.attempts.borrow_mut().may_try(Instant::now()) {
            return told(StatusCode::TOO_MANY_REQUESTS, "too many wrong tokens; try again in some seconds");
        }
        let body = Limited::new(request.into_body(), LOGIN_BYTES_MAX).collect();
        let body = tokio::time::timeout(crate::serve::READ_TIMEOUT, body).await;
        let login = match body {
            Ok(Ok(body)) => serde_json::from_slice::<Login>(&body.to_bytes()).ok(),
            _ => None,
        };
        let Some(login) = login else {
            return told(StatusCode::BAD_REQUEST, "a login is {\"token\": \"…\"}");
        };
        let Ok(Some(keys)) = Keys::read(&self.place) else {
            return told(StatusCode::SERVICE_UNAVAILABLE, "the dashboard's tokens cannot be read");
        };
        let begun = keys
            .role_of(login.token.trim())
            .and_then(|role| Some((role, session::begin(&keys, role, now())?)));
        let Some((role, session)) = begun else {
            self.attempts.borrow_mut().failed(Instant::now());
            return told(
                StatusCode::UNAUTHORIZED,
                "this token is of no use here; `remuda dashboard token` makes one",
            );
        };
        let cookie = self.set_cookie(&session, session::LASTING.as_secs());
        with_cookie(json(StatusCode::OK, &serde_json::json!({"role": role})), &cookie)
    }

    fn logged_out(&self) -> Response<Body> {
        with_cookie(json(StatusCode::OK, &serde_json::json!({"role": null})), &self.set_cookie("", 0))
    }

    fn cookie(&self) -> String {
        format!("remuda-{}", self.port)
    }

    fn set_cookie(&self, value: &str, seconds: u64) -> String {
        format!("{}={value}; Path=/; HttpOnly; SameSite=Strict; Max-Age={seconds}", self.cookie())
    }
}

fn with_cookie(mut response: Response<Body>, cookie: &str) -> Response<Body> {
    if let Ok(value) = HeaderValue::from_str(cookie) {
        response.headers_mut().insert(SET_COOKIE, value);
    }
    response
}

/// An answer in words, of the same form as the API's.
fn told(status: StatusCode, line: &str) -> Response<Body> {
    json(status, &serde_json::json!({"result": "failed", "lines": [line]}))
}

fn json(status: StatusCode, document: &serde_json::Value) -> Response<Body> {
    let mut response = full(status, "application/json", Bytes::from(document.to_string()));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

fn full(status: StatusCode, media_type: &'static str, content: Bytes) -> Response<Body> {
    let mut response = Response::new(Full::new(content).boxed_unsync());
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    response
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}
