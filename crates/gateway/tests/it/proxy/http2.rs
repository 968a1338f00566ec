//! Servers that are spoken to in HTTP/2.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Response};
use remuda_model::gateway::{UpstreamProtocol, UpstreamSpec};

use super::{Proxy, spec};

/// A server that gives each body back, with its length and the request's `TE` as trailers. After `most` requests it ends
/// its connection without a word.
fn echoing(most: usize) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    listener.set_nonblocking(true).unwrap();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(tokio::task::LocalSet::new().run_until(async move {
            let listener = tokio::net::TcpListener::from_std(listener).unwrap();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                tokio::task::spawn_local(async move {
                    let mut connection = h2::server::handshake(stream).await.unwrap();
                    let mut left = most;
                    while let Some(Ok((request, respond))) = connection.accept().await {
                        left -= 1;
                        tokio::task::spawn_local(echo(request, respond));
                        if left == 0 {
                            // The answer still goes out, and then nothing more comes.
                            let drive = std::future::poll_fn(|context| connection.poll_closed(context));
                            let _elapsed = tokio::time::timeout(Duration::from_millis(50), drive).await;
                            return;
                        }
                    }
                });
            }
        }));
    });
    address
}

async fn echo(request: http::Request<h2::RecvStream>, mut respond: h2::server::SendResponse<Bytes>) {
    let (head, mut body) = request.into_parts();
    assert!(head.headers.get("connection").is_none() && head.headers.contains_key("x-forwarded-for"));
    let mut stream = respond.send_response(Response::builder().status(200).body(()).unwrap(), false).unwrap();
    let mut len = 0;
    while let Some(Ok(piece)) = body.data().await {
        body.flow_control().release_capacity(piece.len()).unwrap();
        len += piece.len();
        stream.send_data(piece, false).unwrap();
    }
    let mut trailers = HeaderMap::new();
    trailers.insert("x-length", len.to_string().parse().unwrap());
    trailers.insert("x-te", head.headers.get("te").cloned().unwrap_or_else(|| "none".parse().unwrap()));
    stream.send_trailers(trailers).unwrap();
}

fn http2(address: SocketAddr) -> UpstreamSpec {
    UpstreamSpec { protocol: UpstreamProtocol::Http2, ..spec(&[address]) }
}

#[test]
fn bodies_and_trailers_go_both_ways_over_one_connection() {
    let proxy = Proxy::new(http2(echoing(usize::MAX)));
    let mut client = proxy.connect();
    for _ in 0..3 {
        client.send("POST /s HTTP/1.1\r\nHost: test\r\nTE: trailers\r\nContent-Length: 5\r\n\r\nhello");
        let head = client.head();
        assert!(head.starts_with("HTTP/1.1 200 ") && head.contains("Transfer-Encoding: chunked"), "{head}");
        let expected = "5\r\nhello\r\n0\r\nx-length: 5\r\nx-te: trailers\r\n\r\n";
        assert_eq!(client.take(expected.len()), expected.as_bytes());
    }
    assert_eq!(proxy.end().1.connects, 1);
}

#[test]
fn a_large_body_waits_for_the_windows_and_arrives_whole() {
    let proxy = Proxy::new(http2(echoing(usize::MAX)));
    let mut client = proxy.connect();
    let body: Vec<u8> = (0..2_000_000).map(|at| u8::try_from(at % 251).unwrap()).collect();
    let mut writer = client.stream.try_clone().unwrap();
    let sent = body.clone();
    let writing = std::thread::spawn(move || {
        use std::io::Write as _;
        let head = format!("PUT / HTTP/1.0\r\nHost: test\r\nContent-Length: {}\r\n\r\n", sent.len());
        writer.write_all(head.as_bytes()).unwrap();
        writer.write_all(&sent).unwrap();
    });
    client.head();
    assert!(client.take(body.len()) == body);
    writing.join().unwrap();
}

#[test]
fn a_connection_that_ended_while_nobody_looked_costs_no_request() {
    let proxy = Proxy::new(http2(echoing(1)));
    let mut client = proxy.connect();
    for _ in 0..10 {
        client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
        assert!(client.head().starts_with("HTTP/1.1 200 "));
        let expected = "0\r\nx-length: 0\r\nx-te: none\r\n\r\n";
        assert_eq!(client.take(expected.len()), expected.as_bytes());
    }
}

#[test]
fn a_server_that_does_not_speak_it_is_a_502() {
    let backend = super::Backend::answering(super::ok("HTTP/1"));
    let proxy = Proxy::new(http2(backend.address));
    assert_eq!(proxy.get("/").status(), 502);
}
