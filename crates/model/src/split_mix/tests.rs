//! The numbers of the generator as others publish them.

use super::split_mix;

#[test]
fn the_numbers_are_those_of_the_published_generator() {
    let mut state = 1_234_567;
    let numbers: Vec<u64> = (0..3).map(|_| split_mix(&mut state)).collect();
    assert_eq!(numbers, [6_457_827_717_110_365_317, 3_203_168_211_198_807_973, 9_817_491_932_198_370_423]);
}
