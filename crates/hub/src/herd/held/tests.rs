//! What waits is said in its order, and not before the disk lets it.

use bytes::Bytes;
use remuda_herd::NodeId;
use remuda_herd::replica::Message;

use super::{Held, LETTERS_MAX, Word};

fn change(number: u8) -> Word {
    Word::Change(Bytes::copy_from_slice(&[number]))
}

fn letter() -> Word {
    Word::Letter(NodeId(7), Message::Refused { pull: 1, scopes: 0 })
}

fn said(held: &mut Held, settled: u64) -> Vec<u8> {
    let text = |word| match word {
        Word::Change(change) => change[0],
        Word::Letter(..) => 0,
    };
    std::iter::from_fn(|| held.pop(settled)).map(text).collect()
}

#[test]
fn nothing_is_said_before_the_disk_has_what_it_is_about() {
    let mut held = Held::default();
    assert!(held.push(1, change(1)));
    assert!(held.push(1, change(2)));
    assert!(held.push(3, change(3)));
    assert!(said(&mut held, 0).is_empty());
    assert_eq!(said(&mut held, 2), [1, 2]);
    assert!(!held.is_empty());
    assert_eq!(said(&mut held, 3), [3]);
    assert!(held.is_empty());
}

#[test]
fn a_letter_keeps_its_place_behind_changes_and_counts_as_one_until_it_is_gone() {
    let mut held = Held::default();
    assert!(held.push(2, change(1)));
    assert!(held.push(2, letter()));
    assert!(held.push(4, change(3)));
    assert!(held.has_letters());
    assert!(said(&mut held, 1).is_empty());
    assert_eq!(said(&mut held, 2), [1, 0]);
    assert!(!held.has_letters() && !held.is_empty());
}

#[test]
fn letters_beyond_the_limit_are_left_out_and_changes_are_not() {
    let mut held = Held::default();
    for _ in 0..LETTERS_MAX {
        assert!(held.push(1, letter()));
    }
    assert!(!held.push(1, letter()));
    assert!(held.push(1, change(1)));
    assert_eq!(said(&mut held, 1).len(), LETTERS_MAX + 1);
    assert!(held.push(2, letter()));
}
