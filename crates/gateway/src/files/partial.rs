//! The whole of a file, or the parts of it that were asked for.

use std::ops::Range;

use bytes::Bytes;
use remuda_wire::http::Method;

use super::ranges::{self, Ranges};
use super::shelf::Form;
use crate::server::{Body, Part, Request, Response, error_response};

/// Between the parts of an answer; it can stand in a file, but not with the line break and dashes around it where a
/// part ends by its length, which is how every client reads.
const BOUNDARY_PREFIX: &str = "remuda-part-";

/// Makes `response`, which has the fields of `form`, the answer to `request`.
pub(super) fn fill(mut response: Response, form: &Form, request: &Request) -> Response {
    let fields = request.head.fields();
    let asked = match fields.get("range") {
        // Only GET has ranges (RFC 9110 14.2); of any other method the field means nothing.
        Some(value) if *request.head.method() == Method::Get && form.validators.allows_range(fields) => {
            ranges::read(value, form.size)
        }
        _ => Ranges::Whole,
    };
    match asked {
        Ranges::Whole => {
            response.body = form.body(0..form.size);
            response
        }
        Ranges::Unsatisfiable => {
            let detail = format!("the file has {} bytes, and none of those that were asked for", form.size);
            error_response(416, &detail, request.id, Some(&request.head))
                .field("Content-Range", format!("bytes */{}", form.size))
                .field("Accept-Ranges", "bytes")
        }
        Ranges::Parts(parts) => {
            response.head.status = 206;
            if let [part] = &parts[..] {
                response.head.fields.append("Content-Range", content_range(part, form.size));
                response.body = form.body(part.clone());
                return response;
            }
            several(response, form, &parts, &format!("{BOUNDARY_PREFIX}{}", request.id))
        }
    }
}

fn content_range(part: &Range<u64>, size: u64) -> String {
    format!("bytes {}-{}/{size}", part.start, part.end - 1)
}

/// As `multipart/byteranges` (RFC 9110 14.6).
fn several(mut response: Response, form: &Form, parts: &[Range<u64>], boundary: &str) -> Response {
    let content_type = response.head.fields.get_str("content-type").unwrap_or_default().to_owned();
    let mut all = Vec::new();
    for part in parts {
        let head = format!(
            "\r\n--{boundary}\r\nContent-Type: {content_type}\r\nContent-Range: {}\r\n\r\n",
            content_range(part, form.size)
        );
        all.push(Part::Bytes(Bytes::from(head)));
        all.push(form.part(part.clone()));
    }
    all.push(Part::Bytes(Bytes::from(format!("\r\n--{boundary}--\r\n"))));
    response.head.fields.set("Content-Type", format!("multipart/byteranges; boundary={boundary}"));
    response.body = Body::Parts(all);
    response
}
