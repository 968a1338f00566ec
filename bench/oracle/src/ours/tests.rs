//! Numbers of nodes.

use super::{id, place};

#[test]
fn a_number_leads_back_to_its_place() {
    for each in [0, 1, 2, 9_999, 1 << 30] {
        assert_eq!(place(id(each)), each);
    }
}
