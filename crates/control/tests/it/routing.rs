//! Everything in the table is served, and nothing else.

use std::collections::BTreeSet;

use remuda_control::{Action, Operation, Question, routes};

use crate::scripted::{Running, Scripted};

fn body_of(operation: Operation) -> &'static str {
    match operation {
        Operation::Act(Action::Start | Action::Stop | Action::Restart | Action::Reload) => {
            r#"{"targets":["web"]}"#
        }
        Operation::Act(Action::Scale) => r#"{"service":"web","to":2}"#,
        Operation::Act(Action::Hold | Action::Release) => r#"{"service":"web"}"#,
        Operation::Act(Action::Signal) => r#"{"targets":["web.0"],"signal":"HUP"}"#,
        Operation::Act(Action::Apply | Action::Shutdown | Action::ReopenLogs | Action::Upgrade)
        | Operation::Ask(_) => "",
        Operation::Act(Action::SetKey) => r#"{"key":{"text":"k"},"value":{"base64":"AA=="}}"#,
        Operation::Act(Action::DeleteKeys) => r#"{"keys":[{"text":"k"}]}"#,
        Operation::Act(Action::Publish) => r#"{"topic":{"text":"t"},"payload":{"text":"p"}}"#,
    }
}

fn of_hub(operation: Operation) -> bool {
    matches!(
        operation,
        Operation::Act(Action::SetKey | Action::DeleteKeys | Action::Publish)
            | Operation::Ask(
                Question::Hub
                    | Question::CheckHerd
                    | Question::Locks
                    | Question::Keys
                    | Question::Key
                    | Question::Bus
            )
    )
}

#[tokio::test]
async fn every_route_of_the_table_answers_and_refuses_other_methods() {
    let server = Running::open(&Scripted::new());
    for route in routes() {
        let streams = matches!(route.operation, Operation::Ask(Question::Events | Question::Logs));
        let query = match route.operation {
            Operation::Ask(Question::Key) => "?key=k",
            Operation::Ask(Question::TestRoute) => "?url=/",
            _ if streams => "?follow=false",
            _ => "",
        };
        let target = format!("{}{query}", route.path);
        let (status, text) = server.ask(route.method().as_str(), &target, body_of(route.operation)).await;
        // The scripted instance has no hub.
        assert_eq!(
            status,
            if of_hub(route.operation) { 409 } else { 200 },
            "{} {}: {text}",
            route.method(),
            route.path
        );
        assert_eq!(text.contains("has no hub"), of_hub(route.operation), "{text}");
        let (status, text) = server.ask("PUT", route.path, "").await;
        assert_eq!(status, 405, "{text}");
        assert!(text.contains(&format!("allow: {}", route.method())), "{text}");
    }
    server.stop().await;
}

#[tokio::test]
async fn no_path_answers_that_is_not_in_the_table() {
    let server = Running::open(&Scripted::new());
    let near =
        routes().into_iter().flat_map(|route| [format!("{}/", route.path), format!("/x{}", route.path)]);
    for path in near.chain(["/".into(), "/v2".into(), "/v1/log".into(), "/v1/..".into(), "*".into()]) {
        let (status, text) = server.ask("GET", &path, "").await;
        assert!(matches!(status, 400 | 404), "{path}: {text}");
    }
    server.stop().await;
}

#[test]
fn no_operation_and_no_place_is_there_twice() {
    let operations: BTreeSet<Operation> = routes().iter().map(|route| route.operation).collect();
    let places: BTreeSet<(String, &str)> =
        routes().iter().map(|route| (route.method().to_string(), route.path)).collect();
    assert_eq!(operations.len(), routes().len());
    assert_eq!(places.len(), routes().len());
    // Sixteen questions and fifteen actions: who adds one adds its route.
    assert_eq!(operations.len(), 31);
}

#[tokio::test]
async fn a_request_whose_route_is_asked_for_is_told_by_the_query() {
    let server = Running::open(&Scripted::new());
    let query = "url=/u/7%3Fx&method=POST&host=shop.test&header=a:%20b&header=c:d&from=10.0.0.1&socket=http";
    let (status, text) = server.ask("GET", &format!("/v1/gateways/route?{query}"), "").await;
    assert_eq!(status, 200, "{text}");
    for part in ["/u/7?x", "POST", "shop.test", "10.0.0.1", "http"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.replace('\\', "").contains(r#"headers: [("a", "b"), ("c", "d")]"#), "{text}");
    for (query, why) in [
        ("", "no \\\"url\\\""),
        ("url=/bad", "is bad"),
        ("url=/&from=here", "an IP address"),
        ("url=/&header=x", "no colon"),
        ("url=/&header=%20:x", "no name of a header"),
    ] {
        let (status, text) = server.ask("GET", &format!("/v1/gateways/route?{query}"), "").await;
        assert_eq!(status, 400, "{text}");
        assert!(text.contains(why), "{why}: {text}");
    }
    server.stop().await;
}
