//! Each rule of the layers is broken once here and must say so; the rules' own happy path is the workspace.

use std::collections::BTreeMap;

use super::Graph;

fn graph(direct: &[(&str, &[&str])], below: &[(&str, &[&str])]) -> Graph {
    let owned = |edges: &[(&str, &[&str])]| {
        let entry = |(name, to): &(&str, &[&str])| {
            ((*name).to_owned(), to.iter().map(|each| (*each).to_owned()).collect())
        };
        edges.iter().map(entry).collect()
    };
    Graph { direct: owned(direct), for_tests: BTreeMap::new(), below: owned(below) }
}

#[test]
fn an_edge_down_is_allowed() {
    let graph = graph(&[("remuda-daemon", &["remuda-arbiter", "remuda-sys", "tokio"])], &[]);
    assert_eq!(graph.broken_rules(), Vec::<String>::new());
}

#[test]
fn an_edge_up_is_named_with_both_layers() {
    let graph = graph(&[("remuda-sys", &["remuda-daemon"])], &[]);
    assert_eq!(
        graph.broken_rules(),
        ["remuda-sys (layer 2) depends on remuda-daemon (layer 3): edges go down only"]
    );
}

#[test]
fn an_edge_within_a_layer_is_as_bad_as_one_up() {
    let graph = graph(&[("remuda-config", &["remuda-sys"])], &[]);
    assert_eq!(
        graph.broken_rules(),
        ["remuda-config (layer 2) depends on remuda-sys (layer 2): edges go down only"]
    );
}

#[test]
fn a_member_without_a_layer_is_refused() {
    let graph = graph(&[("remuda-misc", &[])], &[]);
    assert_eq!(
        graph.broken_rules(),
        ["remuda-misc has no layer: give it one in the table of xtask/src/layers.rs"]
    );
}

#[test]
fn a_runtime_deep_below_a_machine_is_found() {
    let graph =
        graph(&[("remuda-arbiter", &["remuda-model"])], &[("remuda-arbiter", &["remuda-model", "tokio"])]);
    assert_eq!(graph.broken_rules(), ["remuda-arbiter is pure and yet has tokio below it"]);
}

#[test]
fn system_calls_have_one_home() {
    let graph = graph(&[("remuda-control", &["rustix"]), ("remuda-sys", &["rustix", "libc"])], &[]);
    assert_eq!(graph.broken_rules(), ["remuda-control depends on rustix, which only remuda-sys may do"]);
}

#[test]
fn what_only_tests_need_is_not_below_a_crate() {
    let metadata = serde_json::json!({
        "workspace_members": ["m"],
        "packages": [
            { "id": "m", "name": "remuda-model", "dependencies": [{ "name": "serde", "kind": null }, { "name": "libc", "kind": "dev" }] },
            { "id": "s", "name": "serde", "dependencies": [] },
            { "id": "l", "name": "libc", "dependencies": [] },
        ],
        "resolve": { "nodes": [
            { "id": "m", "deps": [
                { "pkg": "s", "dep_kinds": [{ "kind": null }] },
                { "pkg": "l", "dep_kinds": [{ "kind": "dev" }] },
            ] },
            { "id": "s", "deps": [] },
            { "id": "l", "deps": [] },
        ] },
    });
    let graph = Graph::read(&metadata).expect("the metadata above has every field");
    assert_eq!(graph.below["remuda-model"].iter().collect::<Vec<_>>(), ["serde"]);
    assert!(graph.for_tests["remuda-model"].contains("libc"));
    assert_eq!(graph.broken_rules(), Vec::<String>::new());
}

#[test]
fn a_test_may_not_look_up_either() {
    let mut graph = graph(&[("remuda-sys", &[])], &[]);
    graph.for_tests.insert("remuda-sys".to_owned(), ["remuda".to_owned()].into());
    assert_eq!(
        graph.broken_rules(),
        ["remuda-sys (layer 2) depends on remuda (layer 5): edges go down only"]
    );
}

#[test]
fn what_asks_the_processor_may_ask_the_kernel_too_and_nobody_else_may() {
    let metadata = |middle: &str| {
        serde_json::json!({
            "workspace_members": ["m"],
            "packages": [
                { "id": "m", "name": "remuda-model", "dependencies": [{ "name": middle, "kind": null }] },
                { "id": "c", "name": middle, "dependencies": [] },
                { "id": "l", "name": "libc", "dependencies": [] },
            ],
            "resolve": { "nodes": [
                { "id": "m", "deps": [{ "pkg": "c", "dep_kinds": [{ "kind": null }] }] },
                { "id": "c", "deps": [{ "pkg": "l", "dep_kinds": [{ "kind": null }] }] },
                { "id": "l", "deps": [] },
            ] },
        })
    };
    let broken = |middle: &str| Graph::read(&metadata(middle)).unwrap().broken_rules();
    assert_eq!(broken("cpufeatures"), Vec::<String>::new());
    assert_eq!(broken("serde"), ["remuda-model is pure and yet has libc below it"]);
}
