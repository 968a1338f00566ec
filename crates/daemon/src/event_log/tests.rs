//! The stream of events, as its readers see it.

use remuda_model::{Event, EventKind};

use super::{EventLog, Next};

fn trouble(message: &str) -> Event {
    Event::instance(EventKind::Trouble { message: message.to_owned() })
}

fn filled(capacity: u32, events: u64) -> EventLog {
    let log = EventLog::new(capacity, 1);
    for number in 1..=events {
        assert_eq!(log.push(number * 10, trouble(&number.to_string())), number);
    }
    log
}

fn drained(log: &EventLog, after: Option<u64>) -> Vec<String> {
    let mut reader = log.read(after);
    std::iter::from_fn(|| reader.try_next())
        .map(|next| match next {
            Next::Record(record) => record.seq.to_string(),
            Next::Missed(count) => format!("missed {count}"),
        })
        .collect()
}

#[test]
fn a_reader_resumes_after_the_number_it_names() {
    let log = filled(8, 5);
    assert_eq!(drained(&log, Some(0)), ["1", "2", "3", "4", "5"]);
    assert_eq!(drained(&log, Some(3)), ["4", "5"]);
    assert!(drained(&log, None).is_empty());
}

#[test]
fn a_reader_that_is_late_is_told_how_many_it_missed() {
    assert_eq!(drained(&filled(3, 10), Some(2)), ["missed 5", "8", "9", "10"]);
}

#[test]
fn a_number_from_the_future_waits_for_what_comes() {
    let log = filled(8, 2);
    let mut reader = log.read(Some(1000));
    assert_eq!(reader.try_next(), None);
    log.push(0, trouble("3"));
    assert!(matches!(reader.try_next(), Some(Next::Record(record)) if record.seq == 3));
}

#[tokio::test(flavor = "current_thread")]
async fn a_waiting_reader_wakes_for_the_next_event() {
    let log = filled(8, 1);
    let mut reader = log.read(None);
    let (next, _) = tokio::join!(reader.next(), async { log.push(0, trouble("2")) });
    assert!(matches!(next, Next::Record(record) if record.seq == 2));
}
