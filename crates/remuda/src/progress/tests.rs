//! Which events are shown to one who waits, and how.

use std::collections::BTreeSet;
use std::time::Duration;

use remuda_model::{Event, EventKind, Record};

use super::{line, told};

#[test]
fn only_what_concerns_the_request_is_shown() {
    let record = |service: &str| {
        let event = Event::service(service.parse().unwrap(), EventKind::ReloadProgress { done: 1, total: 4 });
        Record { seq: 1, time_ms: 1, event }
    };
    let web = BTreeSet::from(["web".parse().unwrap()]);
    assert_eq!(told(&record("web"), &web), Some("web reload 1/4".to_owned()));
    assert_eq!(told(&record("api"), &web), None);
    assert_eq!(told(&record("api"), &BTreeSet::new()), Some("api reload 1/4".to_owned()));
}

#[test]
fn the_line_fits_the_terminal() {
    let shown = line("web.0 ready after 1s", Duration::from_millis(3200), 12);
    assert_eq!(anstream::adapter::strip_str(&shown).to_string(), "3s  web.0 r");
}
