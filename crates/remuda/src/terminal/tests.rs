//! A queue that is full drops, counts and says so.

use std::sync::mpsc::sync_channel;

use super::Sink;

#[test]
fn what_a_blocked_terminal_does_not_take_is_counted_and_shown() {
    let (queue, waiting) = sync_channel(2);
    let (_finished, done) = tokio::sync::oneshot::channel();
    let mut sink = Sink { queue, dropped: 0, done };
    for text in ["a", "b", "c", "d", "e"] {
        sink.put(text.to_owned());
    }
    assert_eq!((waiting.recv().unwrap(), waiting.recv().unwrap()), ("a".into(), "b".into()));
    sink.put("f".to_owned());
    assert_eq!(waiting.recv().unwrap(), "(3 lines not shown: the terminal was too slow)\nf");
    drop(waiting);
    sink.put("a terminal that is gone hurts nobody".to_owned());
}
