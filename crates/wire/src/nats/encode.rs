//! What a client says to a NATS server.

use bytes::{BufMut as _, BytesMut};

/// Who the client is, told in CONNECT. All empty: nobody in particular.
#[derive(Clone, Copy, Default)]
pub struct Login<'a> {
    /// A name; with a password.
    pub user: Option<&'a str>,
    /// The password.
    pub password: Option<&'a str>,
    /// A token, in place of both.
    pub token: Option<&'a str>,
}

impl std::fmt::Debug for Login<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Login").field("user", &self.user).finish_non_exhaustive()
    }
}

/// Says who we are: `name` and `login`; that messages have headers, and that we hear what we publish ourselves.
pub fn encode_connect(name: &str, version: &str, login: Login<'_>, out: &mut BytesMut) {
    out.put_slice(b"CONNECT {\"verbose\":false,\"pedantic\":false,\"tls_required\":false,\"lang\":\"rust\"");
    out.put_slice(b",\"protocol\":1,\"echo\":true,\"headers\":true,\"no_responders\":false");
    let fields = [
        ("name", Some(name)),
        ("version", Some(version)),
        ("user", login.user),
        ("pass", login.password),
        ("auth_token", login.token),
    ];
    for (field, value) in fields {
        if let Some(value) = value {
            out.put_slice(b",\"");
            out.put_slice(field.as_bytes());
            out.put_slice(b"\":");
            put_json(value, out);
        }
    }
    out.put_slice(b"}\r\n");
}

/// Asks for messages on `subject`, which may have wildcards; they come with the number `subscription`.
pub fn encode_subscribe(subject: &[u8], subscription: u64, out: &mut BytesMut) {
    out.put_slice(b"SUB ");
    out.put_slice(subject);
    out.put_u8(b' ');
    put_number(subscription, out);
    out.put_slice(b"\r\n");
}

/// Ends a subscription.
pub fn encode_unsubscribe(subscription: u64, out: &mut BytesMut) {
    out.put_slice(b"UNSUB ");
    put_number(subscription, out);
    out.put_slice(b"\r\n");
}

/// Publishes `payload` on `subject`; `headers` are whole, or empty for none.
pub fn encode_publish(subject: &[u8], headers: &[u8], payload: &[u8], out: &mut BytesMut) {
    out.reserve(subject.len() + headers.len() + payload.len() + 64);
    out.put_slice(if headers.is_empty() { b"PUB ".as_slice() } else { b"HPUB " });
    out.put_slice(subject);
    if !headers.is_empty() {
        out.put_u8(b' ');
        put_number(headers.len() as u64, out);
    }
    out.put_u8(b' ');
    put_number((headers.len() + payload.len()) as u64, out);
    out.put_slice(b"\r\n");
    out.put_slice(headers);
    out.put_slice(payload);
    out.put_slice(b"\r\n");
}

/// Asks for a sign of life; the PONG comes behind everything that is the answer to what was sent before.
pub fn encode_ping(out: &mut BytesMut) {
    out.put_slice(b"PING\r\n");
}

/// Gives a sign of life.
pub fn encode_pong(out: &mut BytesMut) {
    out.put_slice(b"PONG\r\n");
}

fn put_number(number: u64, out: &mut BytesMut) {
    out.put_slice(itoa::Buffer::new().format(number).as_bytes());
}

fn put_json(text: &str, out: &mut BytesMut) {
    out.put_u8(b'"');
    for character in text.chars() {
        match character {
            '"' => out.put_slice(b"\\\""),
            '\\' => out.put_slice(b"\\\\"),
            control if control < ' ' => out.put_slice(format!("\\u{:04x}", u32::from(control)).as_bytes()),
            other => out.put_slice(other.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    out.put_u8(b'"');
}
