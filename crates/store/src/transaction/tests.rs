//! Transactions: their states, their bounds, their order.

use proptest::prelude::*;

use super::{Queued, TRANSACTION_BYTES_MAX, TRANSACTION_COMMANDS_MAX, Transaction};

#[test]
fn a_transaction_is_begun_once_and_discarded_once() {
    let mut transaction = Transaction::default();
    assert!(!transaction.discard());
    assert!(transaction.begin());
    assert!(!transaction.begin());
    assert!(transaction.discard());
    assert!(!transaction.is_open());
}

#[test]
fn a_refused_command_poisons_it_until_it_is_taken() {
    let mut transaction = Transaction::default();
    transaction.begin();
    transaction.queue(0, &[b"SET", b"a", b"1"]);
    transaction.poison();
    assert!(transaction.is_poisoned() && transaction.is_open() && transaction.is_empty());
    assert!(transaction.take().is_poisoned());
    assert!(!transaction.is_poisoned() && !transaction.is_open());
}

#[test]
fn it_has_bounds() {
    let mut transaction = Transaction::default();
    transaction.begin();
    for _ in 0..TRANSACTION_COMMANDS_MAX {
        assert_eq!(transaction.queue(0, &[b"PING"]), Queued::Yes);
    }
    assert_eq!(transaction.queue(0, &[b"PING"]), Queued::Full);
    assert!(transaction.is_poisoned());
    let large = vec![0; TRANSACTION_BYTES_MAX];
    assert_eq!(Transaction::default().queue(0, &[&large]), Queued::Full);
}

proptest! {
    #[test]
    fn commands_come_out_as_they_went_in(
        commands in prop::collection::vec((0u32..16, prop::collection::vec(prop::collection::vec(any::<u8>(), 0..8), 1..5)), 0..20)
    ) {
        let mut transaction = Transaction::default();
        transaction.begin();
        for (database, command) in &commands {
            let command: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            transaction.queue(*database, &command);
        }
        let mut out = Vec::new();
        transaction.take().for_each(|database, command| {
            out.push((database, command.iter().map(|argument| argument.to_vec()).collect::<Vec<_>>()));
        });
        prop_assert_eq!(out, commands);
    }
}
