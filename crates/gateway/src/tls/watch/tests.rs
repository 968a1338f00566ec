//! How much of a certificate's life is left.

use super::*;

#[test]
fn a_certificate_is_fresh_for_two_thirds_of_its_life() {
    let at = |now| Age::at(now, 0, 90);
    assert_eq!(
        [0, 60, 61, 75, 76, 90, 91].map(at),
        [Age::Fresh, Age::Fresh, Age::Third, Age::Third, Age::Sixth, Age::Sixth, Age::Expired]
    );
}
