//! What a route asks of a request before it does anything.

use std::time::Instant;

use remuda_model::gateway::{LimitKey, RequestSpec};

use super::plan::Plan;
use super::{Dispatch, Way, body, schema};
use crate::routes::Match;
use crate::server::{BodyError, Request, Response, error_response};

impl Dispatch {
    /// Checks a request, in the order of what it costs.
    ///
    /// # Errors
    /// The answer that refuses it.
    pub(super) async fn check(
        &self,
        request: &mut Request,
        way: &mut Way,
        plan: &Plan,
    ) -> Result<(), Response> {
        let spec = &self.table.routes()[way.route];
        let by_user = spec.limit.as_ref().is_some_and(|limit| limit.key == LimitKey::User);
        if !by_user {
            self.throttle(request, way, plan)?;
        }
        if let Some(auth) = &plan.auth {
            let scheme = spec.auth.as_ref();
            way.user = Some(auth.user(request, scheme).await.map_err(|refusal| {
                self.server.figures().count("not-authorized");
                *refusal
            })?);
        }
        if by_user {
            self.throttle(request, way, plan)?;
        }
        if let Some(parameters) = &plan.parameters {
            let subject = self.subject(request, way.source, way.is_secure);
            let found = Match { route: way.route, captures: way.captures };
            way.defaults = parameters.check(&subject, &found).map_err(|errors| {
                let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
                error_response(400, &words.join("; "), request.id, Some(&request.head))
            })?;
        }
        self.head_fits(request, &spec.request)?;
        self.body_fits(request, &spec.request, plan).await?;
        match &spec.before {
            Some(before) => self.before(request, way, before).await,
            None => Ok(()),
        }
    }

    fn throttle(&self, request: &Request, way: &Way, plan: &Plan) -> Result<(), Response> {
        let (Some(limiter), Some(limit)) = (&plan.limiter, &self.table.routes()[way.route].limit) else {
            return Ok(());
        };
        let fields = request.head.fields();
        let key: Vec<u8> = match &limit.key {
            LimitKey::Route => Vec::new(),
            LimitKey::Host => request.head.host().to_ascii_lowercase(),
            LimitKey::User => way.user.clone().unwrap_or_default().into_bytes(),
            LimitKey::Header(name) => fields.get(name).unwrap_or_default().to_vec(),
            LimitKey::Cookie(name) => crate::routes::cookie_value(fields, name).unwrap_or_default(),
            LimitKey::Address => match way.source {
                Some(std::net::IpAddr::V4(address)) => address.octets().to_vec(),
                // Who has one address of IPv6 has a whole net of them.
                Some(std::net::IpAddr::V6(address)) => address.octets()[..8].to_vec(),
                None => Vec::new(),
            },
        };
        let now = Instant::now().saturating_duration_since(self.begun);
        limiter.borrow_mut().ask(&key, now).map_err(|throttled| {
            self.server.figures().count("throttled");
            let seconds = throttled.retry_after.as_secs_f64().ceil();
            let detail = format!("Too many requests; try again in {seconds} s.");
            let response = error_response(429, &detail, request.id, Some(&request.head));
            response.field("Retry-After", format!("{seconds}"))
        })
    }

    fn head_fits(&self, request: &Request, spec: &RequestSpec) -> Result<(), Response> {
        let refuse =
            |status, detail: String| error_response(status, &detail, request.id, Some(&request.head));
        let fields = request.head.fields();
        if let Some(missing) = spec.headers.iter().find(|name| !fields.contains(name.as_str())) {
            return Err(refuse(400, format!("The request has no header {missing}.")));
        }
        let has_none = request.body.is_empty() || request.body.length() == Some(0);
        if has_none {
            return if spec.required {
                Err(refuse(400, "The request has no body.".to_owned()))
            } else {
                Ok(())
            };
        }
        let written = fields.get_str("content-type").unwrap_or_default();
        if !spec.types.is_empty() && !is_of(written, &spec.types) {
            let detail = format!("The body has to be {}, and is {written:?}.", spec.types.join(" or "));
            return Err(refuse(415, detail));
        }
        Ok(())
    }

    async fn body_fits(
        &self,
        request: &mut Request,
        spec: &RequestSpec,
        plan: &Plan,
    ) -> Result<(), Response> {
        let refuse = |request: &Request, error: BodyError| {
            error_response(error.status(), &error.to_string(), request.id, Some(&request.head))
        };
        if let Some(max) = spec.max {
            // No limit at all is something else than a body that must be empty.
            request.body.limit(max.max(1)).map_err(|error| refuse(request, error))?;
        }
        let Some(validator) = &plan.request_schema else { return Ok(()) };
        if request.body.is_empty() {
            return Ok(());
        }
        let most = self.settings.spec.limits.kept_body_bytes;
        let bytes = request.body.read_all(most).await.map_err(|error| refuse(request, error))?;
        schema::check(validator, &bytes)
            .map_err(|why| error_response(422, &why, request.id, Some(&request.head)))?;
        request.body = body::again(bytes.into());
        Ok(())
    }
}

/// Whether a `Content-Type` is one of `types`.
pub(super) fn is_of(written: &str, types: &[String]) -> bool {
    let essence = written.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    types.iter().any(|wanted| match wanted.strip_suffix('*') {
        Some(prefix) => essence.starts_with(prefix),
        None => essence == *wanted,
    })
}
