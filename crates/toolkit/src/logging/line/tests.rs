//! Lines as they look on stderr.

use std::time::SystemTime;

use log::Level;
use proptest::prelude::{any, prop_assert, proptest};

use super::{Line, MESSAGE_LIMIT_BYTES};

fn line(loop_name: &str, message: &str) -> Line {
    Line::new(SystemTime::UNIX_EPOCH, Level::Warn, "hub", loop_name, &message)
}

#[test]
fn a_line_says_level_daemon_and_loop() {
    assert_eq!(line("stats", "disk full").to_string(), "WARN  hub/stats: disk full\n");
    assert_eq!(line("", "disk full\n").to_string(), "WARN  hub: disk full\n");
}

#[test]
fn every_line_of_a_message_keeps_its_sender_and_moves_no_cursor() {
    let text = line("stats", "first\r\nERROR hub: forged\x1b[2J\ttab").to_string();
    assert_eq!(text, "WARN  hub/stats: first\nWARN  hub/stats: ERROR hub: forged\\u{1b}[2J\ttab\n");
}

#[test]
fn a_long_message_is_cut_between_characters_and_marked() {
    let long = line("", &"ä".repeat(MESSAGE_LIMIT_BYTES));
    assert!(long.message.ends_with("ä […]") && long.message.len() <= MESSAGE_LIMIT_BYTES + 6);
    let whole = line("", &"a".repeat(MESSAGE_LIMIT_BYTES));
    assert_eq!(whole.message.len(), MESSAGE_LIMIT_BYTES, "what fits is not marked");
}

proptest! {
    #[test]
    fn no_message_escapes_its_prefix(message in any::<String>()) {
        let text = line("stats", &message).to_string();
        prop_assert!(text.ends_with('\n'));
        for each in text.lines() {
            prop_assert!(each.starts_with("WARN  hub/stats: "), "{each:?}");
            prop_assert!(!each.chars().any(|c| c.is_control() && c != '\t'));
        }
    }
}
