//! Records of a book.

use super::{Pages, records};

#[test]
fn what_is_kept_of_one_record_keeps_no_other() {
    let mut pages = Pages::default();
    pages.add(&[b"zeromq", b"identity"]);
    pages.add(&[b"store", &[7; 100_000]]);
    let mut read = records(pages.bytes().to_vec()).unwrap();
    let large = read.pop().unwrap();
    let identity = read.pop().unwrap().field(1).unwrap().clone();
    assert_eq!(&identity[..], b"identity");
    assert!(identity.is_unique(), "it shares memory with the rest of the book");
    assert_eq!(large.field(1).unwrap().len(), 100_000);
}

#[test]
fn a_book_that_is_cut_off_is_no_book() {
    let mut pages = Pages::default();
    pages.add(&[b"hub", b"1"]);
    let bytes = pages.bytes();
    assert!(records(bytes[..bytes.len() - 1].to_vec()).is_err());
}
