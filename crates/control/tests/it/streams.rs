//! Events and lines as they come out of the socket.

use std::sync::Arc;

use remuda_control::{Access, Api, Client, EventItem, LogItem, MissedLines, serve};
use remuda_daemon::{LogLine, LogQuery, Stream};
use remuda_model::{Event, EventKind};
use tokio::net::UnixListener;
use tokio::sync::Notify;

use crate::scripted::{ROUTING, Running, Scripted, name};

fn event(text: &str) -> Event {
    Event::instance(EventKind::Trouble { message: text.into() })
}

fn seq_of(item: Option<EventItem>) -> u64 {
    match item {
        Some(EventItem::Record(record)) => record.seq,
        other => panic!("{other:?}"),
    }
}

fn line(service: &str, slot: u32, text: &str) -> LogLine {
    let (service, text) = (name(service), text.to_owned());
    LogLine { seq: 0, time_ms: 1, service, slot, pid: 9, stream: Stream::Stdout, text, partial: false }
}

#[tokio::test]
async fn events_come_as_blocks_with_their_number_kind_and_record() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    scripted.events.push(7, Event::service(name("web"), EventKind::ServiceRunning));
    let (_, text) = server.ask("GET", "/v1/events?follow=false", "").await;
    let block = "id: 1\nevent: service-running\ndata: {\"seq\":1,\"time_ms\":7,\"service\":\"web\",\"event\":\"service-running\"}\n\n";
    assert!(text.contains(block), "{text}");
    assert!(text.contains("event: end\ndata: {\"reason\":\"caught-up\"}\n\n"), "{text}");
    server.stop().await;
}

#[tokio::test]
async fn a_reader_sees_what_comes_and_the_end() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    scripted.events.push(1, event("before"));
    let client = server.client().await;
    let mut stream = client.events(None, true).await.unwrap();
    let mut second = client.events(Some(0), true).await.unwrap();
    assert_eq!(seq_of(second.next().await.unwrap()), 1);
    scripted.events.push(2, event("after"));
    assert_eq!(seq_of(stream.next().await.unwrap()), 2);
    let ending = tokio::spawn(server.stop());
    assert_eq!(stream.next().await.unwrap(), None);
    assert_eq!(seq_of(second.next().await.unwrap()), 2);
    assert_eq!(second.next().await.unwrap(), None);
    ending.await.unwrap();
}

#[tokio::test]
async fn who_asks_for_more_than_is_kept_is_told_how_much_was_missed() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    for _ in 0..20 {
        scripted.events.push(1, event("x"));
    }
    let mut stream = server.client().await.events(Some(2), false).await.unwrap();
    assert_eq!(stream.next().await.unwrap(), Some(EventItem::Missed(10)));
    for seq in 13..=20 {
        assert_eq!(seq_of(stream.next().await.unwrap()), seq);
    }
    assert_eq!(stream.next().await.unwrap(), None);
    let mut kept = server.client().await.events(None, false).await.unwrap();
    assert_eq!(seq_of(kept.next().await.unwrap()), 13);
    server.stop().await;
}

#[tokio::test]
async fn the_header_outranks_the_parameter_and_must_be_a_number() {
    let scripted = Scripted::new();
    let server = Running::open(&scripted);
    for _ in 0..3 {
        scripted.events.push(1, event("x"));
    }
    let ask = |id: &str| {
        format!(
            "GET /v1/events?after=0&follow=false HTTP/1.1\r\nhost: x\r\nlast-event-id: {id}\r\nconnection: close\r\n\r\n"
        )
    };
    let (_, text) = server.raw(ask("2").as_bytes()).await;
    assert!(text.contains("id: 3\nevent") && !text.contains("id: 2\nevent"), "{text}");
    let (status, _) = server.raw(ask("two").as_bytes()).await;
    assert_eq!(status, 400);
    server.stop().await;
}

#[tokio::test]
async fn a_broken_stream_resumes_without_loss_even_before_its_first_event() {
    let scripted = Scripted::new();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("control.sock");
    let cut = Arc::new(Notify::new());
    let listener = UnixListener::bind(&path).unwrap();
    let first = serve(listener, Api::new(scripted.clone(), Access::new([]), ROUTING), std::future::pending());
    let (first, told) = (tokio::spawn(first), Arc::clone(&cut));
    let client = Client::connect(&path).await.unwrap();
    let mut stream = client.events(None, true).await.unwrap();
    // Aborting cuts the connections without a last event, as a crash does.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    scripted.events.push(1, event("while nobody served"));
    std::fs::remove_file(&path).unwrap();
    let listener = UnixListener::bind(&path).unwrap();
    let second =
        tokio::spawn(serve(listener, Api::new(scripted.clone(), Access::new([]), ROUTING), async move {
            told.notified().await;
        }));
    assert_eq!(seq_of(stream.next().await.unwrap()), 1);
    cut.notify_one();
    assert_eq!(stream.next().await.unwrap(), None);
    second.await.unwrap();
}

#[tokio::test]
async fn lines_are_selected_by_the_query() {
    let scripted = Scripted::new();
    scripted.logs.open(&name("web"), 1 << 20);
    scripted.logs.open(&name("api"), 1 << 20);
    let lines = [line("web", 0, "a"), line("api", 0, "b"), line("web", 1, "c"), line("web", 0, "d & é")];
    scripted.logs.push(lines);
    let server = Running::open(&scripted);
    let client = server.client().await;
    let query = LogQuery { services: vec![name("web")], slot: Some(0), last: Some(1), ..LogQuery::default() };
    let mut stream = client.logs(&query, true).await.unwrap();
    let Some(LogItem::Line(read)) = stream.next().await.unwrap() else { panic!("no line") };
    assert_eq!((read.seq, read.text.as_str()), (4, "d & é"));
    scripted.logs.push([line("web", 1, "no"), line("web", 0, "yes")]);
    let Some(LogItem::Line(read)) = stream.next().await.unwrap() else { panic!("no line") };
    assert_eq!(read.text, "yes");
    server.stop().await;
    assert_eq!(stream.next().await.unwrap(), None);
}

#[tokio::test]
async fn lines_that_left_memory_are_counted() {
    let scripted = Scripted::new();
    scripted.logs.open(&name("web"), 1000);
    let server = Running::open(&scripted);
    let mut stream = server.client().await.logs(&LogQuery::default(), true).await.unwrap();
    // One thread runs it all, so the server reads none of these before the last is there.
    scripted.logs.push((0..20).map(|_| line("web", 0, &"x".repeat(200))));
    let Some(LogItem::Missed(MissedLines { missed, .. })) = stream.next().await.unwrap() else {
        panic!("none missed")
    };
    for _ in missed..20 {
        assert!(matches!(stream.next().await.unwrap(), Some(LogItem::Line(_))));
    }
    assert!(missed > 0 && missed < 20, "{missed}");
    server.stop().await;
    assert_eq!(stream.next().await.unwrap(), None);
}
