//! Which pages of other origins may ask, and how they are told (the fetch standard, "CORS protocol").

use remuda_model::gateway::{CorsSpec, HeaderName, Method};
use remuda_wire::http::Fields;

use super::star_matches;

/// The rules of one route.
#[derive(Debug, Clone)]
pub struct Cors {
    spec: CorsSpec,
    methods: Vec<Method>,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CorsAnswer {
    /// No page asks: nothing but `Vary`.
    Nobody,
    /// A page of an origin that may not: it is told nothing, and its browser refuses.
    Refused,
    /// These headers go with the answer.
    Allowed(Vec<(&'static str, String)>),
}

impl Cors {
    /// Of a route with these methods.
    #[must_use]
    pub fn new(spec: &CorsSpec, methods: &[Method]) -> Self {
        let methods = if spec.methods.is_empty() { methods.to_vec() } else { spec.methods.clone() };
        Self { spec: spec.clone(), methods }
    }

    /// Whether answers differ by origin, so that caches have to know.
    #[must_use]
    pub fn varies(&self) -> bool {
        !self.is_open()
    }

    /// All origins, without cookies.
    fn is_open(&self) -> bool {
        self.spec.origins.iter().any(|origin| origin == "*") && !self.spec.credentials
    }

    /// For a request that is answered.
    #[must_use]
    pub fn answer(&self, fields: &Fields) -> CorsAnswer {
        let Some(mut headers) = self.origin(fields) else {
            return if fields.contains("origin") { CorsAnswer::Refused } else { CorsAnswer::Nobody };
        };
        if !self.spec.expose.is_empty() {
            headers.push(("Access-Control-Expose-Headers", names(&self.spec.expose)));
        }
        CorsAnswer::Allowed(headers)
    }

    /// For a request that asks whether another may come (`OPTIONS` with `Access-Control-Request-Method`).
    #[must_use]
    pub fn preflight(&self, fields: &Fields) -> CorsAnswer {
        let Some(mut headers) = self.origin(fields) else { return CorsAnswer::Refused };
        let wanted = fields.get_str("access-control-request-method").unwrap_or_default();
        let methods: Vec<&str> = self.methods.iter().map(Method::as_str).collect();
        let methods = if methods.is_empty() { wanted.to_owned() } else { methods.join(", ") };
        if methods.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ') {
            headers.push(("Access-Control-Allow-Methods", methods));
        }
        let asked = fields.get_str("access-control-request-headers").unwrap_or_default();
        let is_list = asked.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_, ".contains(&byte));
        let allowed = match self.spec.headers.as_slice() {
            [] if is_list => asked.to_owned(),
            [] => String::new(),
            own => names(own),
        };
        if !allowed.is_empty() {
            headers.push(("Access-Control-Allow-Headers", allowed));
        }
        headers.push(("Access-Control-Max-Age", self.spec.max_age.as_secs().to_string()));
        CorsAnswer::Allowed(headers)
    }

    fn origin(&self, fields: &Fields) -> Option<Vec<(&'static str, String)>> {
        let origin = fields.get_str("origin")?;
        let lower = origin.to_ascii_lowercase();
        if !self.spec.origins.iter().any(|own| star_matches(own.as_bytes(), lower.as_bytes())) {
            return None;
        }
        let shown = if self.is_open() { "*" } else { origin };
        let mut headers = vec![("Access-Control-Allow-Origin", shown.to_owned())];
        if self.spec.credentials {
            headers.push(("Access-Control-Allow-Credentials", "true".to_owned()));
        }
        Some(headers)
    }
}

fn names(names: &[HeaderName]) -> String {
    names.iter().map(HeaderName::as_str).collect::<Vec<_>>().join(", ")
}
