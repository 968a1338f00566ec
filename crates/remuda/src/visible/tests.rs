//! Text that would steer a terminal.

use proptest::prelude::{any, proptest};

use super::visible;

#[test]
fn colours_stay_and_are_ended() {
    assert_eq!(visible("\x1b[1;31mred\x1b[0m text"), "\x1b[1;31mred\x1b[0m text\x1b[0m");
    assert_eq!(visible("a\tb"), "a\tb");
}

#[test]
fn what_steers_the_terminal_goes() {
    let steering = [
        "\x1b[2J",
        "\x1b]0;title\x07",
        "\x1b]8;;http://x\x1b\\",
        "\x1bPq\x1b\\",
        "\x1b[?25l",
        "\x1b(B",
        "\x1bc",
        "\r",
        "\x08",
    ];
    for text in steering {
        assert_eq!(visible(&format!("a{text}b")), "ab", "{text:?}");
    }
    assert_eq!(visible("a\u{9b}2Jb"), "ab");
    assert_eq!(visible("cut \x1b["), "cut ");
}

proptest! {
    #[test]
    fn no_control_character_but_of_colours_is_left(text in any::<String>(), noise in r"(\x1b\[|\x1b\]|\x1b|[0-9;m]|\x9b|a){0,12}") {
        let shown = visible(&format!("{noise}{text}{noise}"));
        let mut rest = shown.as_str();
        while let Some((_, after)) = rest.split_once('\x1b') {
            let end = after.find('m').unwrap();
            assert!(after[..end].strip_prefix('[').unwrap().chars().all(|character| character.is_ascii_digit() || ";:".contains(character)));
            rest = &after[end..];
        }
        assert!(!shown.chars().any(|character| character.is_control() && !matches!(character, '\t' | '\x1b')));
    }
}
