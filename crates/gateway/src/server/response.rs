//! A response as a handler gives it.

use remuda_wire::http::ResponseHead;

use super::Body;

/// A response. What belongs to the connection and the version is added when it is written: Date, Content-Length,
/// Transfer-Encoding, Connection; for HEAD, 204 and 304 the body is left out.
#[derive(Debug, Default)]
pub struct Response {
    /// Status and fields.
    pub head: ResponseHead,
    /// The body.
    pub body: Body,
    /// Whether the connection is not to be used for more requests.
    pub closes: bool,
}

impl Response {
    /// With `status` and nothing else.
    #[must_use]
    pub fn new(status: u16) -> Self {
        Self { head: ResponseHead::new(status), ..Self::default() }
    }

    /// With a body of `content_type`.
    #[must_use]
    pub fn with_body(status: u16, content_type: &str, body: impl Into<Body>) -> Self {
        let mut response = Self::new(status).field("Content-Type", content_type);
        response.body = body.into();
        response
    }

    /// Adds a field.
    #[must_use]
    pub fn field(mut self, name: &str, value: impl AsRef<[u8]>) -> Self {
        self.head.fields.append(name, value);
        self
    }
}
