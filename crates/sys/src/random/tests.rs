//! Bytes by chance.

#[test]
fn bytes_differ_from_call_to_call() {
    let (one, other) = (super::bytes::<32>().unwrap(), super::bytes::<32>().unwrap());
    assert_ne!(one, other);
    assert_ne!(one, [0; 32]);
}
