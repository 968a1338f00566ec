//! What of its own variables an arbiter hands on.

use std::collections::BTreeMap;

use super::is_ours;

fn handed_on(ours: &[&'static str]) -> Vec<&'static str> {
    let all: BTreeMap<String, String> = ours.iter().map(|name| ((*name).to_owned(), String::new())).collect();
    ours.iter().copied().filter(|name| !is_ours(name, &all)).collect()
}

#[test]
fn the_token_and_the_addresses_of_a_hub_above_are_kept_from_workers() {
    let told = [
        "REMUDA_BUS",
        "REMUDA_BUS_SUB",
        "REMUDA_BUS_PUSH",
        "REMUDA_BUS_TCP",
        "REMUDA_TOKEN",
        "REDIS_URL",
        "REMUDA_REDIS_SOCKET",
        "NOTIFY_SOCKET",
        "EDITOR",
    ];
    assert_eq!(handed_on(&told), ["EDITOR"]);
    assert_eq!(handed_on(&["REDIS_URL", "EDITOR"]), ["REDIS_URL", "EDITOR"], "without a token it is for all");
}
