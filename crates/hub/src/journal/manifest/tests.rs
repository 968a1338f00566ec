//! Manifests, whole and damaged.

use super::{Manifest, Mark};

#[test]
fn a_manifest_is_read_back_and_no_changed_byte_goes_unseen() {
    let manifest = Manifest { mark: Mark(7), base: Some((3, 4096)), logs: vec![(3, Some(99)), (4, None)] };
    let text = manifest.encode();
    assert_eq!(Manifest::decode(&text), Some(manifest));
    for at in 0..text.len() {
        let mut bytes = text.clone().into_bytes();
        bytes[at] ^= 1;
        let changed = String::from_utf8(bytes).expect("ASCII");
        assert_eq!(Manifest::decode(&changed), None, "byte {at}");
        assert_eq!(Manifest::decode(&text[..at]), None, "cut at {at}");
    }
}
