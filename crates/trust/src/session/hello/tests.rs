//! Hellos come back as they were, newer ones too.

use proptest::collection;
use proptest::prelude::{any, proptest};
use proptest::prop_assert_eq;
use remuda_herd::{Epoch, NodeId};

use super::{Hello, Versions};

proptest! {
    #[test]
    fn a_hello_comes_back_and_what_is_appended_is_passed_over(
        versions in (any::<u16>(), any::<u16>()),
        numbers in (any::<u64>(), any::<u64>(), any::<u64>(), any::<u64>()),
        herd in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}",
        name in "[a-zA-Z0-9][a-zA-Z0-9_-]{0,63}",
        more in collection::vec(any::<u8>(), 0..100),
    ) {
        let hello = Hello {
            versions: Versions { lowest: versions.0.min(versions.1), highest: versions.0.max(versions.1) },
            herd: herd.parse().unwrap(),
            node: NodeId(numbers.0),
            name: name.parse().unwrap(),
            epoch: Epoch(numbers.1),
            features: numbers.2,
            clock_ms: numbers.3,
        };
        let mut bytes = hello.encode();
        bytes.extend(more);
        prop_assert_eq!(Hello::decode(&bytes).unwrap(), hello);
    }

    #[test]
    fn bytes_of_any_kind_are_a_hello_or_refused(bytes in collection::vec(any::<u8>(), 0..300)) {
        if let Ok(hello) = Hello::decode(&bytes) {
            prop_assert_eq!(Hello::decode(&hello.encode()).unwrap(), hello);
        }
    }
}
