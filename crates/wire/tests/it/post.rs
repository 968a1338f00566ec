//! HTTP as a client of engines reads it: in any pieces, within its limits.

use bytes::BytesMut;
use proptest::prelude::*;
use remuda_wire::post::{HEAD_MAX_BYTES, HttpError, Response, encode_post, take_response};

const BODY_MAX: usize = 1000;
const TALK: &[u8] = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}\
HTTP/1.1 200 OK\r\ntransfer-encoding: Chunked\r\n\r\n3;x=y\r\nabc\r\n0a\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n\
HTTP/1.1 204 No Content\r\n\r\nHTTP/1.0 404 Not Found\r\ncontent-length: 0\r\n\r\n";

fn all(talk: &[u8], size: usize) -> Result<Vec<Response>, HttpError> {
    let (mut input, mut found) = (BytesMut::new(), Vec::new());
    for piece in talk.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(response) = take_response(&mut input, BODY_MAX)? {
            found.push(response);
        }
    }
    assert!(input.is_empty(), "{input:?}");
    Ok(found)
}

#[test]
fn responses_are_read_in_any_pieces() {
    let response = |status, body: &str| Response { status, body: body.as_bytes().to_vec() };
    let expected =
        [response(200, "{}"), response(200, "abc0123456789"), response(204, ""), response(404, "")];
    for size in 1..TALK.len() {
        assert_eq!(all(TALK, size).unwrap(), expected, "in pieces of {size}");
    }
}

#[test]
fn what_has_no_end_or_too_much_is_refused() {
    let refused = |fields: &str, body: &str| {
        let mut input = BytesMut::from(format!("HTTP/1.1 200 OK\r\n{fields}\r\n{body}").as_bytes());
        take_response(&mut input, BODY_MAX).unwrap_err()
    };
    assert_eq!(refused("", ""), HttpError::Endless);
    assert_eq!(refused("Content-Length: 1001\r\n", ""), HttpError::LongBody { max: BODY_MAX });
    assert_eq!(refused("Content-Length: +1\r\n", ""), HttpError::Length);
    assert_eq!(refused("Content-Length: 99999999999999999999999\r\n", ""), HttpError::Length);
    assert_eq!(refused("Content-Length: 1\r\nContent-Length: 2\r\n", ""), HttpError::Length);
    assert_eq!(refused("Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", ""), HttpError::Length);
    assert_eq!(refused("Transfer-Encoding: gzip, chunked\r\n", ""), HttpError::Length);
    let chunked = |body| refused("Transfer-Encoding: chunked\r\n", body);
    assert_eq!(chunked("3e9\r\n"), HttpError::LongBody { max: BODY_MAX });
    assert_eq!(chunked("ffffffffffffffffffff\r\n"), HttpError::Chunk);
    assert_eq!(chunked("+3\r\nabc\r\n"), HttpError::Chunk);
    assert_eq!(chunked("3\r\nabcde"), HttpError::Chunk);
    assert_eq!(chunked(&"0".repeat(300)), HttpError::Chunk);
    let mut long = BytesMut::from(&b"HTTP/1.1 200 OK\r\nA: "[..]);
    long.extend_from_slice(&vec![b'x'; HEAD_MAX_BYTES]);
    assert_eq!(take_response(&mut long, BODY_MAX), Err(HttpError::LongHead));
}

#[test]
fn a_request_says_how_long_it_is() {
    let mut out = BytesMut::new();
    encode_post("kv:2379", "/v3/kv/range", &[("Authorization", "t")], b"{}", &mut out);
    let text = "POST /v3/kv/range HTTP/1.1\r\nHost: kv:2379\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\
                Authorization: t\r\n\r\n{}";
    assert_eq!(out, text.as_bytes());
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000)) {
        let mut input = BytesMut::from(&bytes[..]);
        while let Ok(Some(response)) = take_response(&mut input, BODY_MAX) {
            prop_assert!(response.body.len() <= BODY_MAX);
        }
    }

    #[test]
    fn a_harmed_response_is_read_or_refused(place in 0..TALK.len(), byte in any::<u8>(), size in 1..64_usize) {
        let mut talk = TALK.to_vec();
        talk[place] = byte;
        let mut input = BytesMut::new();
        for piece in talk.chunks(size) {
            input.extend_from_slice(piece);
            while let Ok(Some(response)) = take_response(&mut input, BODY_MAX) {
                prop_assert!(response.body.len() <= BODY_MAX);
            }
        }
    }
}
