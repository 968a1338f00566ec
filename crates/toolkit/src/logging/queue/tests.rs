//! The queue, with nobody waiting and with somebody.

use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::{prop_assert_eq, proptest};

use super::Queue;

#[test]
fn the_oldest_is_dropped_for_the_newest_and_counted() {
    let queue = Queue::new(2);
    assert!((1..=5).all(|number| queue.push(number)));
    assert_eq!((queue.pop(), queue.pop()), (Some((4, 3)), Some((5, 3))));
}

#[test]
fn a_closed_queue_takes_nothing_and_still_gives_what_waits() {
    let queue = Queue::new(9);
    queue.push(1);
    queue.close();
    assert!(!queue.push(2));
    assert!(queue.rest(Duration::from_secs(3600)), "nobody rests on a closed queue");
    assert_eq!((queue.pop(), queue.pop()), (Some((1, 0)), None));
}

#[test]
fn who_waits_is_woken_by_an_item_and_by_the_end() {
    let queue = Arc::new(Queue::new(9));
    let taker = Arc::clone(&queue);
    let taken =
        std::thread::spawn(move || std::iter::from_fn(|| taker.pop()).map(|(item, _)| item).sum::<u32>());
    (1..=4).for_each(|number| assert!(queue.push(number)));
    queue.close();
    assert_eq!(taken.join().unwrap(), 10);
}

proptest! {
    #[test]
    fn what_comes_out_is_the_newest_that_went_in(limit in 1_usize..20, count in 0_u64..100) {
        let queue = Queue::new(limit);
        (0..count).for_each(|number| assert!(queue.push(number)));
        queue.close();
        let kept = count.min(u64::try_from(limit).unwrap());
        let out: Vec<u64> = std::iter::from_fn(|| queue.pop()).map(|(item, _)| item).collect();
        prop_assert_eq!(out, (count - kept..count).collect::<Vec<_>>());
        prop_assert_eq!(queue.dropped(), count - kept);
    }
}
