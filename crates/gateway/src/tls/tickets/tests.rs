//! Tickets: whose they are, for how long, and bytes that are none.

use proptest::prelude::*;

use super::*;

fn tickets(secret: u8, context: &[u8], clock: fn() -> u64) -> Tickets {
    Tickets::with_clock(&Secret::new([secret; 32]), context, clock)
}

#[test]
fn a_ticket_of_one_worker_is_good_at_another_for_at_least_a_period() {
    let made = tickets(1, b"", || 10 * PERIOD_SECS + 17).encrypt(b"session").unwrap();
    let later: [fn() -> u64; 2] = [|| 10 * PERIOD_SECS + 17, || 12 * PERIOD_SECS - 1];
    for clock in later {
        assert_eq!(tickets(1, b"", clock).decrypt(&made).as_deref(), Some(&b"session"[..]));
    }
    assert_eq!(tickets(1, b"", || 12 * PERIOD_SECS).decrypt(&made), None);
    assert_eq!(tickets(1, b"", || 9 * PERIOD_SECS).decrypt(&made), None);
}

#[test]
fn a_ticket_of_another_instance_or_for_other_clients_is_none() {
    let clock: fn() -> u64 = || 100;
    let made = tickets(1, b"", clock).encrypt(b"session").unwrap();
    assert_eq!(tickets(2, b"", clock).decrypt(&made), None);
    assert_eq!(tickets(1, b"authority", clock).decrypt(&made), None);
    assert_ne!(tickets(1, b"", clock).encrypt(b"session").unwrap(), made);
}

proptest! {
    #[test]
    fn no_bytes_open_that_were_not_sealed(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(tickets(1, b"", || 100).decrypt(&bytes), None);
    }

    #[test]
    fn a_changed_byte_makes_a_ticket_useless(at in 0_usize..60, by in 1_u8..) {
        let tickets = tickets(1, b"", || 100);
        let mut made = tickets.encrypt(b"what a session needs").unwrap();
        let at = at % made.len();
        made[at] ^= by;
        prop_assert_eq!(tickets.decrypt(&made), None);
    }
}
