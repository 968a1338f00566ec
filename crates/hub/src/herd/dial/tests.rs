//! What is called, and when again.

use std::time::Duration;

use remuda_herd::NodeId;
use remuda_model::Tick;

use super::{Dials, Phase, host_and_port};

const NOW: Tick = Tick(1_000_000);

#[test]
fn who_does_not_answer_is_tried_again_after_five_seconds_at_most() {
    let mut dials = Dials::new(&["a:1".to_owned(), "b:2".to_owned()], 7);
    let mut now = NOW;
    for _attempt in 0..20 {
        let due = dials.take_due(now, |_| false);
        assert_eq!(due.len(), 2);
        for id in due {
            assert_eq!(dials.failed(id, "refused", now, false), None);
        }
        assert!(dials.due().unwrap() > now);
        now = now + Duration::from_secs(5);
    }
}

#[test]
fn who_is_linked_the_other_way_round_is_left_alone_until_that_link_is_gone() {
    let mut dials = Dials::new(&["a:1".to_owned()], 7);
    let id = dials.take_due(NOW, |_| false)[0];
    dials.answered(id, NodeId(9));
    dials.failed(id, "another link is kept", NOW, true);
    let later = NOW + Duration::from_secs(60);
    assert!(dials.take_due(later, |node| node == NodeId(9)).is_empty());
    dials.is_free(NodeId(9), later);
    assert_eq!(dials.take_due(later + Duration::from_millis(250), |_| false), [id]);
}

#[test]
fn an_attempt_for_the_machine_is_made_once() {
    let mut dials = Dials::new(&[], 7);
    dials.add("c:3".to_owned(), Some(NodeId(3)), true);
    assert!(dials.seeks(NodeId(3)));
    let id = dials.take_due(NOW, |_| true)[0];
    dials.get_mut(id).unwrap().phase = Phase::Resolving;
    assert_eq!(dials.failed(id, "no such host", NOW, false), Some(NodeId(3)));
    assert!(!dials.seeks(NodeId(3)) && dials.due().is_none());
}

#[test]
fn addresses_have_a_host_and_a_port() {
    assert_eq!(host_and_port("[::1]:7946"), Some(("::1", 7946)));
    assert_eq!(host_and_port("node.example.org:1"), Some(("node.example.org", 1)));
    assert_eq!(host_and_port("node"), None);
}
