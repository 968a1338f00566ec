//! The kept lines, as their readers see them.

use proptest::prelude::*;
use remuda_model::ServiceName;

use super::{LogLine, LogNext, LogQuery, LogStore, Stream};

fn line(service: &str, slot: u32, text: &str) -> LogLine {
    LogLine {
        seq: 0,
        time_ms: 1000,
        service: ServiceName::new(service).unwrap(),
        slot,
        pid: 100 + slot,
        stream: if slot == 0 { Stream::Stdout } else { Stream::Stderr },
        text: text.to_owned(),
        partial: false,
    }
}

fn store(limit: u64, lines: &[(&str, u32, &str)]) -> LogStore {
    let store = LogStore::new();
    for service in ["web", "api"] {
        store.open(&ServiceName::new(service).unwrap(), limit);
    }
    for (service, slot, text) in lines {
        store.push([line(service, *slot, text)]);
    }
    store
}

fn drained(store: &LogStore, query: LogQuery) -> Vec<String> {
    let mut reader = store.read(query);
    std::iter::from_fn(|| reader.try_next()).map(shown).collect()
}

fn shown(next: LogNext) -> String {
    match next {
        LogNext::Line(line) => line.text.clone(),
        LogNext::Missed { service, lines } => format!("{service} missed {lines}"),
    }
}

const LINES: [(&str, u32, &str); 5] =
    [("web", 0, "a"), ("api", 0, "b"), ("web", 1, "c"), ("api", 1, "d"), ("web", 0, "e")];

#[test]
fn lines_of_all_services_come_in_their_order() {
    assert_eq!(drained(&store(10_000, &LINES), LogQuery::default()), ["a", "b", "c", "d", "e"]);
}

#[test]
fn a_query_narrows_by_service_slot_output_and_place() {
    let store = store(10_000, &LINES);
    let web = || vec![ServiceName::new("web").unwrap()];
    assert_eq!(drained(&store, LogQuery { services: web(), ..Default::default() }), ["a", "c", "e"]);
    assert_eq!(drained(&store, LogQuery { slot: Some(1), ..Default::default() }), ["c", "d"]);
    assert_eq!(
        drained(&store, LogQuery { stream: Some(Stream::Stdout), ..Default::default() }),
        ["a", "b", "e"]
    );
    assert_eq!(drained(&store, LogQuery { after: Some(3), ..Default::default() }), ["d", "e"]);
    assert_eq!(drained(&store, LogQuery { last: Some(2), ..Default::default() }), ["d", "e"]);
    assert_eq!(
        drained(&store, LogQuery { services: web(), last: Some(2), ..Default::default() }),
        ["c", "e"]
    );
    assert_eq!(drained(&store, LogQuery { last: Some(0), ..Default::default() }), Vec::<String>::new());
    assert_eq!(
        drained(&store, LogQuery { since_ms: Some(1001), ..Default::default() }),
        Vec::<String>::new()
    );
}

#[test]
fn a_flood_of_one_service_takes_no_line_from_another() {
    let store = store(1000, &[("api", 0, "kept")]);
    store.push((0..1000).map(|number| line("web", 0, &format!("{number}"))));
    let lines = drained(&store, LogQuery::default());
    assert!(lines.contains(&"kept".to_owned()));
    assert_eq!(lines.last().map(String::as_str), Some("999"));
    assert!(lines.len() < 12, "the ring of web holds about 1000 bytes: {lines:?}");
}

#[test]
fn a_reader_that_is_late_is_told_how_many_it_missed() {
    let store = store(400, &[]);
    let mut reader = store.read(LogQuery::default());
    store.push((0..10).map(|number| line("web", 0, &number.to_string())));
    let read: Vec<String> = std::iter::from_fn(|| reader.try_next()).map(shown).collect();
    assert_eq!(read, ["web missed 7", "7", "8", "9"]);
}

#[test]
fn a_reader_that_resumes_after_a_line_long_gone_is_told_so() {
    let store = store(400, &[]);
    store.push((0..10).map(|number| line("web", 0, &number.to_string())));
    let resumed = LogQuery { after: Some(2), ..Default::default() };
    assert_eq!(drained(&store, resumed), ["web missed 5", "7", "8", "9"]);
    assert_eq!(drained(&store, LogQuery::default()), ["7", "8", "9"]);
}

#[test]
fn a_batch_of_unwanted_lines_does_not_hide_the_wanted_ones_behind_it() {
    let store = store(1_000_000, &[]);
    store.push((0..2000).map(|_| line("web", 0, "x")));
    store.push([line("web", 1, "wanted")]);
    assert_eq!(drained(&store, LogQuery { slot: Some(1), ..Default::default() }), ["wanted"]);
}

#[test]
fn the_last_lines_of_a_worker_are_its_own() {
    let store = store(10_000, &LINES);
    let web = ServiceName::new("web").unwrap();
    assert_eq!(store.tail(&web, 100, 10), ["a", "e"]);
    assert_eq!(store.tail(&web, 100, 1), ["e"]);
    assert!(store.tail(&web, 999, 10).is_empty());
}

proptest! {
    #[test]
    fn every_line_is_read_or_counted_as_missed_and_in_order(
        pushes in proptest::collection::vec((any::<bool>(), 0_usize..700), 1..12),
        limit in 200_u64..5000,
    ) {
        let store = store(limit, &[]);
        let mut reader = store.read(LogQuery::default());
        let (mut pushed, mut read, mut missed, mut last) = (0_u64, 0_u64, 0_u64, 0_u64);
        for (web, count) in pushes {
            let service = if web { "web" } else { "api" };
            pushed += store.push((0..count).map(|_| line(service, 0, "x"))).len() as u64;
            while let Some(next) = reader.try_next() {
                match next {
                    LogNext::Line(line) => {
                        prop_assert!(line.seq > last);
                        last = line.seq;
                        read += 1;
                    }
                    LogNext::Missed { lines, .. } => missed += lines,
                }
            }
        }
        prop_assert_eq!(read + missed, pushed);
    }
}
