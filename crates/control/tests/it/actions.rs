//! From bodies to requests of the model, and from replies to status codes.

use std::time::Duration;

use remuda_control::{Accepted, ActBody, Answer, ScaleBody, Wait};
use remuda_model::{Refusal, Reply, Request, Signal, StopScope, Target};
use tokio::io::AsyncWriteExt as _;
use tokio::net::UnixStream;

use crate::scripted::{Running, Scripted, name};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

fn targets(texts: &[&str]) -> Vec<Target> {
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

#[tokio::test]
async fn bodies_become_requests_with_the_asker_named() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    let all = r#"{"all":true}"#;
    let steps = [
        ("start", r#"{"targets":["web","api"]}"#, Request::Start(vec![name("web"), name("api")])),
        ("stop", all, Request::Stop(vec![name("api"), name("web")])),
        ("reload", all, Request::Reload(targets(&["web"]))),
        ("restart", r#"{"targets":["web.2"]}"#, Request::Restart(targets(&["web.2"]))),
        ("scale", r#"{"service":"web","to":9}"#, Request::Scale { service: name("web"), to: 9 }),
        ("scale", r#"{"service":"web","by":-1}"#, Request::Scale { service: name("web"), to: 3 }),
        ("scale", r#"{"service":"web","by":-4}"#, Request::Scale { service: name("web"), to: 0 }),
        ("hold", r#"{"service":"web"}"#, Request::Hold { service: name("web"), lasting: SECONDS(30) }),
        (
            "hold",
            r#"{"service":"web","for_ms":9000}"#,
            Request::Hold { service: name("web"), lasting: SECONDS(9) },
        ),
        ("release", r#"{"service":"web"}"#, Request::Release(name("web"))),
        (
            "signal",
            r#"{"targets":["web"],"signal":"SIGHUP","scope":"tree"}"#,
            Request::Signal { targets: targets(&["web"]), signal: Signal::HUP, scope: StopScope::Tree },
        ),
        ("shutdown", "", Request::Shutdown),
    ];
    for (verb, body, _) in &steps {
        let (status, text) = server.ask("POST", &format!("/v1/{verb}"), body).await;
        assert_eq!(status, 200, "{verb} {body}: {text}");
        assert!(text.contains(r#"{"result":"done","lines":["so be it"]}"#), "{text}");
    }
    assert_eq!(scripted.requests(), steps.map(|(_, _, request)| request));
    let by = scripted.asked.lock().unwrap()[0].1.clone();
    assert_eq!(by, format!("uid {} pid {}", remuda_sys::users::effective_user(), std::process::id()));
    server.stop().await;
}

#[tokio::test]
async fn what_cannot_be_understood_is_refused_with_the_reason_and_asks_nothing() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    let long = format!(r#"{{"targets":["{}"]}}"#, "x".repeat(70_000));
    let steps = [
        ("start", "", "it is empty"),
        ("start", "{}", "say \\\"all\\\": true"),
        ("start", "[", "the body is not what this request takes"),
        ("start", r#"{"targets":["web"],"al":true}"#, "unknown field `al`"),
        ("start", r#"{"targets":["web"],"all":true}"#, "not both"),
        ("stop", r#"{"targets":["web.1"]}"#, "web.1 is a slot"),
        ("reload", r#"{"targets":["we/b"]}"#, "does not name a service"),
        ("scale", r#"{"service":"web"}"#, "exactly one"),
        ("scale", r#"{"service":"web","to":1,"by":1}"#, "exactly one"),
        ("scale", r#"{"service":"web","by":-9}"#, "web is to have 4, and 9 fewer is below zero"),
        ("signal", r#"{"targets":["web"],"signal":"NOPE"}"#, "is not a signal"),
        ("signal", r#"{"targets":[],"signal":"HUP"}"#, "name at least one service"),
        ("apply", "x", "takes no body"),
        ("apply?wait=perhaps", "", "true or false"),
        ("apply?wiat=true", "", "it knows wait"),
        ("start", &long, "longer than 65536 bytes"),
    ];
    for (verb, body, reason) in steps {
        let (status, text) = server.ask("POST", &format!("/v1/{verb}"), body).await;
        assert_eq!(status, 400, "{verb}: {text}");
        assert!(text.contains(r#"{"result":"refused","code":"malformed","reason":"#), "{text}");
        assert!(text.contains(reason), "{verb} {reason}: {text}");
    }
    assert_eq!(scripted.requests(), []);
    server.stop().await;
}

#[tokio::test]
async fn the_status_code_follows_the_reply() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    let steps = [
        (Reply::Failed { lines: vec!["it did not boot".into()] }, 409),
        (Reply::Refused(Refusal::NoSuchService { name: "wbe".into(), nearest: Some("web".into()) }), 404),
        (Reply::Refused(Refusal::NoSuchSlot { service: name("web"), slot: 7, workers: 4 }), 404),
        (Reply::Refused(Refusal::Stopping), 409),
        (Reply::Refused(Refusal::TooMany { asked: 9, limit: 2 }), 400),
        (Reply::Refused(Refusal::BadConfig { reason: "line 3".into() }), 400),
    ];
    let client = server.client().await;
    for (reply, code) in steps {
        *scripted.reply.lock().unwrap() = reply.clone();
        let (status, text) = server.ask("POST", "/v1/reload", r#"{"targets":["web"]}"#).await;
        assert_eq!(status, code, "{text}");
        let body = ActBody { targets: targets(&["web"]), all: false };
        assert_eq!(client.reload(&body, Wait::UntilDone).await.unwrap(), Answer::Reply(reply));
    }
    let unknown = ScaleBody { service: name("none"), to: None, by: Some(1) };
    let answer = client.scale(&unknown, Wait::UntilDone).await.unwrap();
    assert!(matches!(answer, Answer::Reply(Reply::Refused(Refusal::NoSuchService { .. }))), "{answer:?}");
    server.stop().await;
}

#[tokio::test]
async fn without_waiting_the_answer_comes_before_the_deed() {
    let scripted = Scripted::new();
    scripted.gate.forget_permits(1000);
    let server = Running::open(&scripted);
    let answer = server.client().await.shutdown(Wait::No).await.unwrap();
    assert_eq!(answer, Answer::Accepted(Accepted::Accepted));
    assert_eq!(scripted.requests(), []);
    scripted.gate.add_permits(1);
    server.stop().await;
    assert_eq!(scripted.requests(), [Request::Shutdown]);
}

#[tokio::test]
async fn a_client_that_goes_away_takes_its_request_not_back() {
    let scripted = Scripted::new();
    scripted.gate.forget_permits(1000);
    let server = Running::open(&scripted);
    let mut stream = UnixStream::connect(&server.path).await.unwrap();
    stream.write_all(b"POST /v1/shutdown HTTP/1.1\r\nhost: x\r\ncontent-length: 0\r\n\r\n").await.unwrap();
    scripted.came.acquire().await.unwrap().forget();
    drop(stream);
    // Whoever is answered now was accepted after the server had seen the other one go.
    server.client().await.about().await.unwrap();
    scripted.gate.add_permits(1);
    server.stop().await;
    assert_eq!(scripted.requests(), [Request::Shutdown]);
}
