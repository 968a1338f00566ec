//! Lines of the kernel.

use super::{hexadecimal, unix_end};

#[test]
fn a_path_with_spaces_is_read_whole() {
    let line = "0000000000000000: 00000003 00000000 00000000 0001 03 24617 /run/a b.sock";
    assert_eq!(unix_end(line), Some(("03", "/run/a b.sock")));
    assert_eq!(unix_end("0000000000000000: 00000003 00000000 00000000 0001 03 24617"), None);
}

#[test]
fn addresses_are_written_as_the_kernel_writes_them() {
    let ip = "127.0.0.1".parse().expect("an address");
    assert_eq!(hexadecimal(ip), format!("{:08X}", u32::from_ne_bytes([127, 0, 0, 1])));
}
