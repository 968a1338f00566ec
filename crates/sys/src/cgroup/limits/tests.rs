//! Limits as the kernel reads them.

use super::quota;

#[test]
fn processors_become_a_share_of_the_period() {
    assert_eq!(quota(1.5), "150000 100000");
    assert_eq!(quota(0.0), "1000 100000");
}
