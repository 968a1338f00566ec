//! Services that are asked about a request (`before`), and that make other bodies of answers (`alter`).
//!
//! What cannot be asked has not agreed: a service that is gone refuses, and an answer that should have been altered is not
//! sent as it was.

use bytes::Bytes;
use remuda_model::gateway::SubrequestSpec;
use remuda_wire::http::{Head, Method};

use super::{Dispatch, Way, body};
use crate::routes::{Place, Values, render};
use crate::server::{Body, Request, Response, error_response};
use crate::upstream::Forward;

/// Headers that are about one message or connection, and are not handed on to another.
const OWN: [&str; 8] = [
    "content-length",
    "transfer-encoding",
    "connection",
    "upgrade",
    "expect",
    "te",
    "content-encoding",
    "keep-alive",
];

impl Dispatch {
    /// Asks whether a request may go on.
    pub(super) async fn before(
        &self,
        request: &mut Request,
        way: &Way,
        spec: &SubrequestSpec,
    ) -> Result<(), Response> {
        let kept = if spec.body && !request.body.is_empty() {
            let most = self.settings.spec.limits.kept_body_bytes;
            let read = request.body.read_all(most).await;
            let bytes = read.map_err(|error| {
                error_response(error.status(), &error.to_string(), request.id, Some(&request.head))
            })?;
            Bytes::from(bytes)
        } else {
            Bytes::new()
        };
        let method = if spec.body { request.head.method().clone() } else { Method::Get };
        let answer = self.ask(request, way, spec, method, kept.clone()).await;
        if spec.body {
            request.body = body::again(kept);
        }
        if (200..300).contains(&answer.head.status) {
            for name in &spec.headers {
                request.head.fields_mut().remove(name.as_str());
                for value in answer.head.fields.get_all(name.as_str()) {
                    request.head.fields_mut().append(name.as_str(), value);
                }
            }
            return Ok(());
        }
        self.server.figures().count("refused-before");
        Err(match spec.refuse {
            Some(status) => {
                error_response(status, "The request was refused.", request.id, Some(&request.head))
            }
            None => answer,
        })
    }

    /// Has another body made of an answer's.
    pub(super) async fn alter(
        &self,
        request: &Request,
        way: &Way,
        spec: &SubrequestSpec,
        mut response: Response,
    ) -> Response {
        let has_body = !matches!(response.head.status, 204 | 304) && *request.head.method() != Method::Head;
        if response.head.status >= 300 || !has_body || matches!(response.body, Body::TakeOver(_)) {
            return response;
        }
        let most = self.settings.spec.limits.kept_body_bytes;
        let refuse = |detail: &str| {
            error_response(spec.refuse.unwrap_or(502), detail, request.id, Some(&request.head))
        };
        let whole = match body::whole(std::mem::take(&mut response.body), most).await {
            Ok(whole) => whole,
            Err(error) => return refuse(&error.to_string()),
        };
        let mut answer = self.ask_about(request, way, spec, &response, whole).await;
        if !(200..300).contains(&answer.head.status) {
            self.server.figures().count("not-altered");
            return refuse("The answer could not be altered.");
        }
        for name in ["Content-Length", "Content-Encoding", "ETag", "Last-Modified", "Accept-Ranges"] {
            response.head.fields.remove(name);
        }
        let taken = spec.headers.iter().map(|name| name.as_str()).chain(["Content-Type"]);
        for name in taken {
            let values: Vec<Vec<u8>> = answer.head.fields.get_all(name).map(<[u8]>::to_vec).collect();
            if !values.is_empty() {
                response.head.fields.remove(name);
            }
            values.iter().for_each(|value| response.head.fields.append(name, value));
        }
        match body::whole(std::mem::take(&mut answer.body), most).await {
            Ok(altered) => response.body = altered.into(),
            Err(error) => return refuse(&error.to_string()),
        }
        response
    }

    async fn ask(
        &self,
        request: &Request,
        way: &Way,
        spec: &SubrequestSpec,
        method: Method,
        kept: Bytes,
    ) -> Response {
        let fields = request.head.fields().iter();
        let fields = fields.filter_map(|(name, value)| Some((std::str::from_utf8(name).ok()?, value)));
        let own = |name: &str| OWN.iter().any(|own| own.eq_ignore_ascii_case(name));
        let mut told: Vec<(String, Vec<u8>)> = fields
            .filter(|(name, _)| !own(name))
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect();
        told.push(("X-Original-Method".into(), request.head.method().as_str().into()));
        told.push(("X-Original-URI".into(), request.head.origin_form().to_vec()));
        self.subrequest(request, way, spec, method, told, kept).await
    }

    async fn ask_about(
        &self,
        request: &Request,
        way: &Way,
        spec: &SubrequestSpec,
        response: &Response,
        whole: Bytes,
    ) -> Response {
        let mut told = vec![
            ("Host".to_owned(), request.head.host().to_vec()),
            ("X-Original-Method".into(), request.head.method().as_str().into()),
            ("X-Original-URI".into(), request.head.origin_form().to_vec()),
            ("X-Original-Status".into(), response.head.status.to_string().into_bytes()),
        ];
        if let Some(kind) = response.head.fields.get("content-type") {
            told.push(("Content-Type".into(), kind.to_vec()));
        }
        self.subrequest(request, way, spec, Method::Post, told, whole).await
    }

    /// Another request in the course of one.
    async fn subrequest(
        &self,
        request: &Request,
        way: &Way,
        spec: &SubrequestSpec,
        method: Method,
        mut told: Vec<(String, Vec<u8>)>,
        kept: Bytes,
    ) -> Response {
        let refuse = |status, detail: &str| error_response(status, detail, request.id, Some(&request.head));
        let target = self.with_values(request, way, |values| render(&spec.path, values, Place::Url));
        let Some(upstream) = self.upstreams.get(&spec.upstream) else {
            return refuse(502, "Nobody can be asked.");
        };
        if !kept.is_empty() {
            told.push(("Content-Length".into(), kept.len().to_string().into_bytes()));
        }
        if !told.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            told.push(("Host".into(), request.head.host().to_vec()));
        }
        let fields = told.iter().map(|(name, value)| (name.as_str(), value.as_slice()));
        let Ok(head) = Head::compose(request.head.version(), method, &target, None, fields) else {
            return refuse(502, "What is asked for is no path.");
        };
        let mut asking = Request {
            head,
            body: body::again(kept),
            peer: std::rc::Rc::clone(&request.peer),
            arrived: request.arrived,
            id: request.id,
            route: request.route,
        };
        let asked = upstream.forward(&mut asking, Forward::default());
        match tokio::time::timeout(spec.timeout, asked).await {
            Ok(answer) => answer,
            Err(_elapsed) => refuse(504, "Who was asked did not answer in time."),
        }
    }

    /// Calls `use_it` with what variables stand for.
    pub(super) fn with_values<T>(
        &self,
        request: &Request,
        way: &Way,
        use_it: impl FnOnce(&Values<'_>) -> T,
    ) -> T {
        let subject = self.subject(request, way.source, way.is_secure);
        let found = crate::routes::Match { route: way.route, captures: way.captures };
        use_it(&Values {
            subject: &subject,
            found: &found,
            route: &self.table.routes()[way.route],
            uri: request.head.origin_form(),
            user: way.user.as_deref(),
            request_id: &way.id,
            defaults: &way.defaults,
        })
    }
}
