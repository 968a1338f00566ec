//! When an engine is taken for dead.

use super::*;

const EVERY: Duration = Duration::from_secs(2);

/// One that was greeted at 10 s, and the time so many seconds later.
fn up() -> (Line, impl Fn(u64) -> Tick) {
    let began = Tick::default() + Duration::from_secs(10);
    let mut line = Line::new("redis://127.0.0.1".parse().unwrap(), Token(1), "bus", 1);
    line.greeted(began);
    (line, move |seconds| began + Duration::from_secs(seconds))
}

#[test]
fn silence_is_asked_about_and_an_answer_that_does_not_come_is_the_end() {
    let (mut line, at) = up();
    assert_eq!((line.asks(at(1), EVERY), line.due(EVERY)), (Ok(false), Some(at(2))));
    assert_eq!((line.asks(at(2), EVERY), line.due(EVERY)), (Ok(true), Some(at(4))));
    assert_eq!(line.asks(at(3), EVERY), Ok(false), "it was asked");
    assert!(line.asks(at(4), EVERY).is_err());
}

#[test]
fn who_was_not_asked_for_a_long_time_is_asked_before_it_is_given_up() {
    let (mut line, at) = up();
    assert_eq!(line.asks(at(3600), EVERY), Ok(true), "the machine slept");
    assert_eq!(line.asks(at(3600), EVERY), Ok(false));
    assert_eq!(line.due(EVERY), Some(at(3602)));
    assert!(line.asks(at(3602), EVERY).is_err());
}
