//! Some wrong tokens are forgiven, many are not.

use std::time::{Duration, Instant};

use super::{Attempts, BURST, PAUSE};

#[test]
fn after_ten_wrong_tokens_there_is_one_in_two_seconds() {
    let (mut attempts, begin) = (Attempts::default(), Instant::now());
    for _ in 0..BURST {
        assert!(attempts.may_try(begin));
        attempts.failed(begin);
    }
    assert!(!attempts.may_try(begin));
    assert!(!attempts.may_try(begin + PAUSE - Duration::from_millis(1)));
    assert!(attempts.may_try(begin + PAUSE));
    attempts.failed(begin + PAUSE);
    assert!(!attempts.may_try(begin + PAUSE));
    let later = begin + PAUSE * 100;
    for _ in 0..BURST {
        assert!(attempts.may_try(later));
        attempts.failed(later);
    }
    assert!(!attempts.may_try(later));
}
