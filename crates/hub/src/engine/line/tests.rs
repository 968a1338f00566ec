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

#[test]
fn what_came_just_before_the_end_of_a_connection_is_heard() {
    let (mut line, at) = up();
    let (ours, mut theirs) = std::os::unix::net::UnixStream::pair().unwrap();
    line.stream = Some(Stream::unix(ours).unwrap());
    // As much as one read takes, so that it is not known whether there is more.
    io::Write::write_all(&mut theirs, b"last word").unwrap();
    drop(theirs);
    let news = Readiness {
        token: Token(1),
        readable: true,
        writable: false,
        priority: false,
        hangup: true,
        error: false,
    };
    let mut scratch = [0; 9];
    assert_eq!(line.hear(news, at(1), &mut scratch, 1 << 20), Ok(Heard::Something));
    assert_eq!(&line.input[..], b"last word");
    assert!(line.hear(news, at(1), &mut scratch, 1 << 20).is_err(), "then the end is");
}
