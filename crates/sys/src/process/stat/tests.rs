//! Lines of the kernel.

use super::parse;

const LINE: &str =
    "42 (a) b (c) S 7 42 41 0 -1 4194304 1 0 0 0 30 12 0 0 20 0 3 0 98765 1000 256 18446744073709551615";

#[test]
fn a_command_with_parentheses_and_spaces_does_not_shift_the_fields() {
    let stat = parse(LINE).expect("a whole line");
    assert_eq!((stat.command.as_str(), stat.state), ("a) b (c", 'S'));
    assert_eq!((stat.parent, stat.group, stat.session), (7, 42, 41));
    assert_eq!((stat.cpu_ticks, stat.threads, stat.start_ticks, stat.resident_pages), (42, 3, 98765, 256));
}

#[test]
fn a_cut_line_is_no_process() {
    assert_eq!(parse("42 (a"), None);
    assert_eq!(parse("42 (a) S 7"), None);
}
