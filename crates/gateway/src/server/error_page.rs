//! Answers that say what went wrong, in the form the client asked for.
//!
//! Small and complete in themselves: a page that needs a style sheet of a server that has just failed would be none.

use remuda_wire::http::{Head, reason, tokens};

use super::{RequestId, Response};

/// The answer `status` with `detail`, a sentence or nothing, as HTML, JSON or text: what Accept likes best.
#[must_use]
pub fn error_response(status: u16, detail: &str, id: RequestId, head: Option<&Head>) -> Response {
    let accept = head.and_then(|head| head.fields().get_str("accept")).unwrap_or("");
    let (content_type, text) = match Form::of(accept) {
        Form::Html => ("text/html; charset=utf-8", html(status, detail, id)),
        Form::Json => ("application/problem+json", json(status, detail, id)),
        Form::Text => ("text/plain; charset=utf-8", plain(status, detail, id)),
    };
    Response::with_body(status, content_type, text)
        .field("Cache-Control", "no-store")
        .field("X-Content-Type-Options", "nosniff")
        .field("X-Request-Id", id.to_string())
}

/// What a page is written as.
enum Form {
    Html,
    Json,
    Text,
}

impl Form {
    /// The first of the list that is one of these; browsers name HTML first, programs JSON, `curl` anything.
    fn of(accept: &str) -> Self {
        for token in tokens(accept.as_bytes()) {
            let name = token.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
            let name = name.to_ascii_lowercase();
            if name == b"text/html" || name == b"application/xhtml+xml" {
                return Self::Html;
            }
            if name == b"application/json" || name.ends_with(b"+json") {
                return Self::Json;
            }
            if name == b"text/plain" {
                return Self::Text;
            }
        }
        Self::Text
    }
}

fn plain(status: u16, detail: &str, id: RequestId) -> String {
    let detail = if detail.is_empty() { String::new() } else { format!("{detail}\n") };
    format!("{status} {}\n{detail}request {id}\n", reason(status))
}

fn json(status: u16, detail: &str, id: RequestId) -> String {
    let page = serde_json::json!({
        "status": status, "title": reason(status), "detail": detail, "request": id.to_string(),
    });
    format!("{page}\n")
}

fn html(status: u16, detail: &str, id: RequestId) -> String {
    let (title, detail) = (escape(reason(status)), escape(detail));
    format!(
        "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
        <meta name=\"viewport\" content=\"width=device-width\"><title>{status} {title}</title>\
        <style>:root{{color-scheme:light dark}}body{{font:16px/1.5 system-ui,sans-serif;max-width:36rem;\
        margin:18vh auto 0;padding:0 1.5rem}}h1{{font-size:1.6rem;font-weight:600;margin:0 0 .5rem}}\
        h1 span{{opacity:.5;font-weight:400}}p{{margin:.4rem 0}}small{{opacity:.55}}</style></head>\
        <body><h1><span>{status}</span> {title}</h1><p>{detail}</p><p><small>Request {id}</small></p></body></html>\n"
    )
}

/// `text` as it can stand in HTML, in an attribute too.
pub(crate) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c => out.push(c),
        }
    }
    out
}
