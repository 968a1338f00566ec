//! What is packed, what is not, and that it comes out as it was.

use std::io::Read as _;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use proptest::prelude::*;
use remuda_wire::http::{Method, Version};

use super::*;
use crate::server::{Broken, FilePart, Part, Source, Step};

fn request(accept: &str) -> Head {
    let fields = [("accept-encoding", accept.as_bytes())];
    Head::compose(Version::Http11, Method::Get, b"/", Some(b"a.test"), fields).unwrap()
}

fn figures() -> Rc<crate::server::Server> {
    crate::server::Server::new(crate::server::Limits::default(), vec![], 1)
}

fn packed(accept: &str, response: Response) -> Response {
    let compressor = Compressor::new(&CompressSpec::on(), &Packers::default());
    compressor.apply(&request(accept), response, figures().figures())
}

fn text(len: usize) -> Response {
    Response::with_body(200, "text/html; charset=utf-8", "x".repeat(len))
}

fn unpack(encoding: Option<&str>, bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    match encoding {
        Some("gzip") => flate2::read::GzDecoder::new(bytes).read_to_end(&mut out),
        Some("br") => brotli::Decompressor::new(bytes, 4096).read_to_end(&mut out),
        _ => return bytes.to_vec(),
    }
    .unwrap();
    out
}

/// All that a body gives, on a runtime for those that read files.
fn read(body: Body) -> Result<Vec<u8>, Broken> {
    let mut source = match body {
        Body::Bytes(bytes) => return Ok(bytes.to_vec()),
        Body::Stream(source) => source,
        other => panic!("{other:?} is not packed"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut out = Vec::new();
        loop {
            let step = std::future::poll_fn(|context| source.poll_step(context, &mut out)).await?;
            match step {
                Step::Filled => {}
                Step::Shared(bytes) => out.extend_from_slice(&bytes),
                Step::End => return Ok(out),
            }
        }
    })
}

#[test]
fn what_the_client_takes_is_packed_and_said_to_be() {
    for (accept, encoding) in [("gzip", "gzip"), ("gzip, deflate, br", "br"), ("br;q=0.1, gzip", "gzip")] {
        let mut response = packed(accept, text(5000).field("ETag", "\"a\"").field("Accept-Ranges", "bytes"));
        let fields = &response.head.fields;
        assert_eq!(fields.get_str("content-encoding"), Some(encoding));
        assert_eq!(fields.get_str("vary"), Some("Accept-Encoding"));
        assert_eq!(fields.get_str("etag"), Some("W/\"a\""));
        assert!(!fields.contains("accept-ranges"));
        let bytes = read(std::mem::take(&mut response.body)).unwrap();
        assert!(bytes.len() < 200);
        assert_eq!(unpack(Some(encoding), &bytes), "x".repeat(5000).as_bytes());
    }
}

#[test]
fn who_takes_nothing_gets_it_as_it_is_and_caches_know_of_the_others() {
    let response = packed("identity", text(5000).field("Vary", "Origin"));
    let vary: Vec<_> = response.head.fields.get_all("vary").collect();
    assert_eq!(vary, [&b"Origin"[..], b"Accept-Encoding"]);
    assert!(!response.head.fields.contains("content-encoding"));
    assert_eq!(response.body.length(), Some(5000));
}

#[test]
fn what_is_not_worth_it_or_forbidden_is_left_alone() {
    let alone = [
        text(1000),
        text(5000).field("Content-Encoding", "br"),
        text(5000).field("Cache-Control", "public, no-transform"),
        Response { head: ResponseHead { status: 206, ..text(5000).head }, ..text(5000) },
        Response::with_body(200, "image/png", "x".repeat(5000)),
        Response::with_body(200, "text/event-stream", "x".repeat(5000)),
        Response::new(200),
    ];
    for response in alone {
        let before = response.head.fields.clone();
        let after = packed("gzip", response);
        assert_eq!(after.head.fields, before);
    }
}

#[test]
fn a_file_is_packed_as_it_is_read_and_one_that_has_shrunk_is_never_whole() {
    let file = tempfile::tempfile().unwrap();
    let bytes: Vec<u8> = (0..300_000_u32).map(|at| u8::try_from(at / 7 % 251).unwrap()).collect();
    std::os::unix::fs::FileExt::write_all_at(&file, &bytes, 0).unwrap();
    let file = Arc::new(file);
    let respond = || {
        let mut response = Response::new(200).field("Content-Type", "text/css");
        response.body = Body::Parts(vec![
            Part::Bytes(Bytes::from_static(b"front ")),
            Part::File(FilePart { file: Arc::clone(&file), offset: 0, len: 300_000 }),
        ]);
        packed("gzip", response)
    };
    let expected = [b"front ", &bytes[..]].concat();
    assert!(unpack(Some("gzip"), &read(respond().body).unwrap()) == expected);
    let late = respond();
    file.set_len(1000).unwrap();
    assert_eq!(read(late.body), Err(Broken));
}

/// Gives pieces, and waits before each.
#[derive(Debug)]
struct Slow(Vec<&'static [u8]>, bool);

impl Source for Slow {
    fn poll_step(&mut self, context: &mut Context<'_>, buffer: &mut Vec<u8>) -> Poll<Result<Step, Broken>> {
        self.1 = !self.1;
        if self.1 {
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let Some(next) = self.0.pop() else { return Poll::Ready(Ok(Step::End)) };
        buffer.extend_from_slice(next);
        Poll::Ready(Ok(Step::Filled))
    }
}

fn stream(pieces: Vec<&'static [u8]>) -> Response {
    let mut response = Response::new(200).field("Content-Type", "text/plain");
    response.body = Body::Stream(Box::new(Slow(pieces, false)));
    response
}

#[test]
fn what_a_stream_gave_is_not_held_back_while_it_waits() {
    let Body::Stream(mut source) = packed("gzip", stream(vec![b"later", b"first"])).body else { panic!() };
    let mut context = Context::from_waker(Waker::noop());
    let mut out = Vec::new();
    for _ in 0..3 {
        let _step = source.poll_step(&mut context, &mut out);
    }
    let mut found = [0; 5];
    flate2::read::GzDecoder::new(&out[..]).read_exact(&mut found).unwrap();
    assert_eq!(&found, b"first");
}

#[test]
fn a_stream_that_is_not_as_long_as_it_said_is_never_whole() {
    let right = packed("br", stream(vec![b"abc"; 500]).field("Content-Length", "1500"));
    assert!(!right.head.fields.contains("content-length"));
    assert_eq!(unpack(Some("br"), &read(right.body).unwrap()), b"abc".repeat(500));
    let wrong = packed("br", stream(vec![b"abc"; 500]).field("Content-Length", "1501"));
    assert_eq!(read(wrong.body), Err(Broken));
}

#[test]
fn while_all_encoders_are_busy_answers_go_as_they_are() {
    let compressor = Compressor::new(&CompressSpec::on(), &Packers::new(1));
    let server = figures();
    let busy = compressor.apply(&request("gzip"), stream(vec![b"a"]), server.figures());
    let second = compressor.apply(&request("gzip"), stream(vec![b"a"]), server.figures());
    assert!(busy.head.fields.contains("content-encoding"));
    assert!(!second.head.fields.contains("content-encoding"));
    assert_eq!(server.figures().tell().events["compress-busy"], 1);
    drop(busy);
    let third = compressor.apply(&request("gzip"), stream(vec![b"a"]), server.figures());
    assert!(third.head.fields.contains("content-encoding"));
}

proptest! {
    #[test]
    fn whatever_is_packed_comes_out_as_it_was(
        body in proptest::collection::vec(any::<u8>(), 1024..100_000), brotli in any::<bool>()
    ) {
        let accept = if brotli { "br" } else { "gzip" };
        let response = packed(accept, Response::with_body(200, "text/plain", body.clone()));
        prop_assert_eq!(unpack(Some(accept), &read(response.body).unwrap()), body);
    }
}
