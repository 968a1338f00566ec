//! Requests on HTTP/2, by the client of the same library; what is hostile is in `http2_floods`.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use h2::client::SendRequest;
use h2::ext::Protocol;
use h2::{Reason, RecvStream};
use remuda_gateway::acme::Pace;
use remuda_gateway::server::{Http2Limits, Limits};
use rustls_pki_types::ServerName;
use tokio::net::TcpStream;

use super::secure::{Authority, Dialer, SecureServer, limits, settings};
use super::support::{Everything, PATIENCE, Running, numbered_file};

/// Runs a client that ends in time.
fn client<T>(work: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let local = tokio::task::LocalSet::new();
    local.block_on(&runtime, async { tokio::time::timeout(PATIENCE, work).await.unwrap() })
}

async fn connect(address: SocketAddr) -> SendRequest<Bytes> {
    let stream = TcpStream::connect(address).await.unwrap();
    let mut builder = h2::client::Builder::new();
    // One stream that is not read leaves room for others.
    let builder = builder.initial_connection_window_size(1 << 20);
    let (send, connection) = builder.handshake(stream).await.unwrap();
    tokio::task::spawn_local(async move {
        let _ended = connection.await;
    });
    send.ready().await.unwrap()
}

fn get(path: &str) -> http::Request<()> {
    http::Request::get(format!("http://a.test{path}")).body(()).unwrap()
}

async fn read(body: &mut RecvStream) -> Result<Vec<u8>, h2::Error> {
    let mut all = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece?;
        body.flow_control().release_capacity(piece.len())?;
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

async fn ask(send: &mut SendRequest<Bytes>, path: &str) -> (http::Response<()>, Vec<u8>) {
    let (answer, _) = send.send_request(get(path), true).unwrap();
    let (head, mut body) = answer.await.unwrap().into_parts();
    let bytes = read(&mut body).await.unwrap();
    (http::Response::from_parts(head, ()), bytes)
}

#[test]
fn answers_of_every_kind_come_whole_side_by_side() {
    let (file, bytes) = numbered_file(3_000_000);
    let open = Arc::new(file.reopen().unwrap());
    let running = Running::with(limits(), move || Everything { file: Some(open), endings: None });
    client(async {
        let mut send = connect(running.address).await;
        for len in [0, 1, 4096, 1_000_000] {
            let (head, body) = ask(&mut send, &format!("/bytes/{len}")).await;
            assert_eq!((head.status().as_u16(), body.len()), (200, len));
            assert_eq!(head.headers()["content-length"], len.to_string());
            assert!(head.headers().contains_key("date") && !head.headers().contains_key("connection"));
        }
        let (_, body) = ask(&mut send, "/file/2999999").await;
        assert!(body == [b"before ", &bytes[1..], &bytes[..3]].concat());
        let (slow, _) = send.send_request(get("/wait/200"), true).unwrap();
        let (_, quick) = ask(&mut send, "/bytes/2").await;
        assert_eq!(quick, b"xx");
        assert_eq!(read(&mut slow.await.unwrap().into_body()).await.unwrap(), b"waited");
        let (answer, _) = send.send_request(get("/stream/3"), true).unwrap();
        let mut body = answer.await.unwrap().into_body();
        assert_eq!(read(&mut body).await.unwrap(), b"bsb");
        assert_eq!(body.trailers().await.unwrap().unwrap()["x-done"], "yes");
        let head = http::Request::head("http://a.test/bytes/5000").body(()).unwrap();
        let (answer, _) = send.send_request(head, true).unwrap();
        let answer = answer.await.unwrap();
        assert!(answer.headers()["content-length"] == "5000" && answer.into_body().is_end_stream());
    });
    assert_eq!(running.end().routes[0].by_class[1], 9);
}

#[test]
fn an_answer_that_is_not_whole_is_reset() {
    let (file, _) = numbered_file(100_000);
    let open = Arc::new(file.reopen().unwrap());
    let running = Running::with(limits(), move || Everything { file: Some(open), endings: None });
    client(async {
        let mut send = connect(running.address).await;
        file.as_file().set_len(1000).unwrap();
        for path in ["/short/3", "/file/2000"] {
            let (answer, _) = send.send_request(get(path), true).unwrap();
            // The head may be lost with the rest.
            let error = match answer.await {
                Ok(answer) => read(&mut answer.into_body()).await.unwrap_err(),
                Err(error) => error,
            };
            assert_eq!(error.reason(), Some(Reason::INTERNAL_ERROR), "{path}");
        }
        assert_eq!(ask(&mut send, "/exact/3").await.1, b"bsb");
    });
    assert_eq!(running.end().routes[0].cut, 2);
}

#[test]
fn bodies_of_requests_are_read_as_they_come_and_no_longer_than_their_limit() {
    let running = Running::new(Limits { body_max: 1_500_000, ..limits() });
    client(async {
        let mut send = connect(running.address).await;
        let post = |path: &str| http::Request::post(format!("http://a.test{path}")).body(()).unwrap();
        let (answer, mut body) = send.send_request(post("/echo/"), false).unwrap();
        let sent = vec![b'y'; 1_000_000];
        body.send_data(sent.clone().into(), true).unwrap();
        assert_eq!(read(&mut answer.await.unwrap().into_body()).await.unwrap(), sent);
        // Both ways at once.
        let (answer, mut body) = send.send_request(post("/back/"), false).unwrap();
        let mut back = answer.await.unwrap().into_body();
        for piece in ["one", "two"] {
            body.send_data(piece.into(), piece == "two").unwrap();
            assert_eq!(back.data().await.unwrap().unwrap(), piece);
        }
        assert!(read(&mut back).await.unwrap().is_empty());
        let (answer, mut body) = send.send_request(post("/echo/"), false).unwrap();
        body.send_data(vec![b'z'; 1_500_001].into(), true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 413);
        let (answer, _body) = send.send_request(post("/ignore/"), false).unwrap();
        assert_eq!(answer.await.unwrap().status(), 403);
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
    });
}

#[test]
fn a_request_that_is_taken_back_ends_where_it_is() {
    let (endings, ended) = std::sync::mpsc::channel();
    let running = Running::with(limits(), move || Everything { file: None, endings: Some(endings) });
    client(async {
        let mut send = connect(running.address).await;
        let (answer, mut stream) = send.send_request(get("/never/"), false).unwrap();
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
        stream.send_reset(Reason::CANCEL);
        assert!(answer.await.is_err());
    });
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().status, 200);
    assert_eq!(ended.recv_timeout(PATIENCE).unwrap().status, 499);
}

#[test]
fn two_hosts_and_too_many_fields_are_refused_and_the_connection_goes_on() {
    let running = Running::new(limits());
    client(async {
        let mut send = connect(running.address).await;
        let mut two = get("/bytes/1");
        two.headers_mut().insert("host", "b.test".parse().unwrap());
        let (answer, _) = send.send_request(two, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 400);
        let mut many = get("/bytes/1");
        for at in 0..101 {
            many.headers_mut().append("x", at.to_string().parse().unwrap());
        }
        let (answer, _) = send.send_request(many, true).unwrap();
        assert_eq!(answer.await.unwrap().status(), 431);
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
    });
    let figures = running.end();
    assert_eq!((figures.events["several-hosts"], figures.events["too-many-fields"]), (1, 1));
}

#[test]
fn at_the_end_what_runs_is_answered_and_nothing_new_is_begun() {
    let mut running = Running::new(limits());
    client(async {
        let mut send = connect(running.address).await;
        let (slow, _) = send.send_request(get("/wait/400"), true).unwrap();
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
        running.quit();
        assert_eq!(read(&mut slow.await.unwrap().into_body()).await.unwrap(), b"waited");
        // The connection is closed by good-bye alone.
        let end = tokio::time::Instant::now() + PATIENCE;
        while let Ok(ready) = send.clone().ready().await {
            drop(ready);
            assert!(tokio::time::Instant::now() < end);
            // Nothing but this call tells that it is closed.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let figures = running.end();
    assert_eq!((figures.open, figures.events.get("cut-at-end")), (0, None));
}

#[test]
fn an_idle_connection_is_told_and_closed() {
    let running = Running::new(Limits { idle_within: Duration::from_millis(600), ..limits() });
    client(async {
        let mut send = connect(running.address).await;
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
        while let Ok(ready) = send.clone().ready().await {
            drop(ready);
            // As above; the server's limit ends it.
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    });
    assert_eq!(running.end().events["idle-closed"], 1);
}

#[test]
fn who_does_not_take_an_answer_is_not_waited_for_and_others_are_served() {
    let running = Running::new(Limits { write_within: Duration::from_secs(1), ..limits() });
    client(async {
        let mut send = connect(running.address).await;
        let (answer, _) = send.send_request(get("/bytes/1000000"), true).unwrap();
        let mut stuck = answer.await.unwrap().into_body();
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
        let error = loop {
            match stuck.data().await.unwrap() {
                // Read, and no room given for more.
                Ok(_) => {}
                Err(error) => break error,
            }
        };
        assert_eq!(error.reason(), Some(Reason::CANCEL));
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
    });
    assert_eq!(running.end().events["answer-not-taken"], 1);
}

#[test]
fn a_websocket_on_a_stream_is_taken_over_like_a_connection() {
    let running = Running::new(limits());
    client(async {
        let mut send = connect(running.address).await;
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
        assert!(send.is_extended_connect_protocol_enabled());
        let mut wish =
            http::Request::builder().method("CONNECT").uri("http://a.test/switch/").body(()).unwrap();
        wish.extensions_mut().insert(Protocol::from_static("websocket"));
        let (answer, mut to) = send.send_request(wish, false).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.status(), 200);
        assert!(!answer.headers().contains_key("upgrade"));
        let mut from = answer.into_body();
        for word in ["one", "two"] {
            to.send_data(word.into(), false).unwrap();
            assert_eq!(from.data().await.unwrap().unwrap(), word.to_uppercase());
        }
        // A request that is none cannot become something else.
        let (head, _) = ask(&mut send, "/switch/").await;
        assert_eq!(head.status(), 501);
        assert_eq!(ask(&mut send, "/bytes/1").await.1, b"x");
    });
    assert_eq!(running.end().open, 0);
}

#[test]
fn it_is_spoken_under_tls_and_without_it_only_where_that_is_wanted() {
    let authority = Authority::new();
    let server = SecureServer::with(
        Limits { http2: Http2Limits::default(), ..Limits::default() },
        |_, _| settings(vec![authority.put("a", &["a.test"], (-1, 364))]),
        Pace::default(),
    );
    let config = Arc::new(Dialer::new(authority.roots()).alpn(&["h2"]).config);
    client(async {
        let stream = TcpStream::connect(server.https).await.unwrap();
        let name = ServerName::try_from("a.test").unwrap();
        let stream = tokio_rustls::TlsConnector::from(config).connect(name, stream).await.unwrap();
        let (send, connection) = h2::client::handshake(stream).await.unwrap();
        tokio::task::spawn_local(async move {
            let _ended = connection.await;
        });
        let mut send = send.ready().await.unwrap();
        assert_eq!(ask(&mut send, "/bytes/300000").await.1.len(), 300_000);
    });
    let plain = client(async {
        let stream = TcpStream::connect(server.http).await.unwrap();
        let (mut send, connection) = h2::client::handshake(stream).await.unwrap();
        let (answer, _) = send.send_request(get("/bytes/1"), true).unwrap();
        tokio::select! {
            ended = connection => ended.map(drop),
            answer = answer => answer.map(drop),
        }
    });
    assert!(plain.is_err());
}

#[test]
fn http1_is_spoken_beside_it_on_one_port() {
    let running = Running::new(limits());
    let mut client = running.connect();
    for _ in 0..2 {
        assert_eq!(client.get("/bytes/3").text(), "xxx");
    }
    assert!(running.tell("PRI * HTTP/1.1\r\nHost: a\r\n\r\n").starts_with("HTTP/1.1 "));
    let mut slow = running.connect();
    for piece in ["P", "OST /ec", "ho/ HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nab"] {
        slow.send(piece);
    }
    assert_eq!(slow.answer().text(), "ab");
}
