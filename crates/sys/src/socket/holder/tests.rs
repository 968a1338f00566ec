//! Lines of the kernel.

use super::parse;

const LINE: &str = "   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1 0000 100 0 0 10 0";

#[test]
fn a_line_of_the_kernel_is_understood() {
    let line = parse(LINE).expect("a whole line");
    assert_eq!((line.address, line.port, line.state, line.inode), ("0100007F", 8080, "0A", 4711));
    assert_eq!(parse("  sl  local_address"), None);
}
