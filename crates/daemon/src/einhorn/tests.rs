//! Messages as einhorn's own clients write them, and everything else as text that must not hurt.

use proptest::prelude::{any, prop, proptest};

use super::{Command, LINE_MAX_BYTES, ParseError, mapping, not_parsed, parse, reply, unrecognized};

#[test]
fn the_ack_of_every_client_is_understood() {
    let written = [
        "--- %0Acommand: worker:ack%0Apid: 123%0A",
        "---%0Acommand: worker:ack%0Apid: 123%0A...%0A",
        "---%0A:command: worker:ack%0A:pid: 123%0A",
        "---%0Acommand: 'worker:ack'%0Apid: \"123\"%0A",
        r#"{"command":"worker:ack","pid":123}"#,
        "{command: 'worker:ack', pid: 123}",
    ];
    for line in written {
        assert_eq!(parse(line.as_bytes()), Ok(Command::Ack { pid: 123 }), "{line}");
    }
}

#[test]
fn a_ping_may_name_its_request() {
    let line = "---%0Acommand: worker:ping%0Apid: 7%0Arequest_id: 50%2525%0A";
    assert_eq!(parse(line.as_bytes()), Ok(Command::Ping { pid: 7, request_id: Some("50%25".into()) }));
    let line = r#"{"command":"worker:ping","pid":7}"#;
    assert_eq!(parse(line.as_bytes()), Ok(Command::Ping { pid: 7, request_id: None }));
}

#[test]
fn commands_of_the_shell_are_told_apart_from_noise() {
    let other = Command::Other { name: "upgrade".into(), id: Some("4".into()) };
    assert_eq!(parse(b"---%0Aid: 4%0Acommand: upgrade%0A"), Ok(other));
    assert_eq!(parse(b"{}"), Err(ParseError::NoCommand));
    assert_eq!(parse(b""), Err(ParseError::NoCommand));
    assert_eq!(parse(b"hello"), Err(ParseError::Form));
    assert_eq!(parse(b"[1, 2]"), Err(ParseError::Form));
    assert_eq!(parse(br#"{"command":{"a":1}}"#), Err(ParseError::Form));
    assert_eq!(parse(br#"{"command":"worker:ack"}"#), Err(ParseError::NoPid("worker:ack")));
    assert_eq!(parse(br#"{"command":"worker:ack","pid":-1}"#), Err(ParseError::NoPid("worker:ack")));
    assert_eq!(parse(br#"{"command":"worker:ack","pid":0}"#), Err(ParseError::NoPid("worker:ack")));
    assert_eq!(parse(b"\xff"), Err(ParseError::Encoding));
    assert_eq!(parse(&vec![b'x'; LINE_MAX_BYTES + 1]), Err(ParseError::TooLong(LINE_MAX_BYTES + 1)));
}

#[test]
fn replies_are_one_line() {
    assert_eq!(not_parsed(), "{\"message\":\"Could not parse command\"}\n");
    assert_eq!(reply("50%", Some("4")), "{\"message\":\"50%25\",\"request_id\":\"4\"}\n");
    assert!(unrecognized("upgrade", None).contains("Unrecognized command: \\\"upgrade\\\""));
}

proptest! {
    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn no_text_near_the_form_makes_the_parser_panic(text in r#"(---|%0A|%25|%|command: |pid: |worker:ack|[:'"{},0-9 ]){0,20}"#) {
        let _ = parse(text.as_bytes());
    }

    #[test]
    fn a_reply_comes_back_as_it_was(message in any::<String>()) {
        let line = reply(&message, None);
        let line = line.strip_suffix('\n').unwrap();
        assert!(!line.contains('\n'));
        let fields = mapping(&line.replace("%0A", "\n").replace("%25", "%")).unwrap();
        assert_eq!(fields.get("message"), Some(&message));
    }
}
