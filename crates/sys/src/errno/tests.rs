//! Numbers that have a name, and others.

use super::describe;

#[test]
fn says_symbol_and_words() {
    assert_eq!(describe(libc::ENOENT), "ENOENT (no such file or directory)");
    assert!(describe(libc::EUCLEAN).starts_with("errno 117 ("));
}
