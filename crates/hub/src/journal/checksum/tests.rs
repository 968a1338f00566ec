//! Known sums, and sums in pieces.

use super::Checksum;

fn of(bytes: &[u8]) -> u32 {
    let mut checksum = Checksum::new();
    checksum.update(bytes);
    checksum.value()
}

#[test]
fn the_check_value_of_the_catalogue_comes_out() {
    assert_eq!(of(b"123456789"), 0xcbf4_3926);
    assert_eq!(of(b""), 0);
    assert_eq!(of(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
}

proptest::proptest! {
    #[test]
    fn it_does_not_matter_in_how_many_parts(bytes: Vec<u8>, at: proptest::sample::Index) {
        let (left, right) = bytes.split_at(at.index(bytes.len() + 1));
        let mut checksum = Checksum::new();
        checksum.update(left);
        checksum.update(right);
        proptest::prop_assert_eq!(checksum.value(), of(&bytes));
    }
}
