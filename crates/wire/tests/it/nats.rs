//! NATS' client protocol: what a server says in any pieces, and what a client says.

use bytes::BytesMut;
use proptest::prelude::*;
use remuda_wire::nats::{
    Limits, Login, NatsError, Operation, Parser, encode_connect, encode_headers, encode_publish,
    encode_subscribe, encode_unsubscribe, header,
};

const TALK: &[u8] = b"INFO {\"headers\":true}\r\nPING\r\n+OK\r\nMSG a.b 7 5\r\nhe\r\no\r\nPONG\r\n\
HMSG a 8 reply 23 26\r\nNATS/1.0\r\nName: v w\r\n\r\nabc\r\n-ERR 'Permissions Violation'\r\n";

/// All operations of `talk`, which comes in pieces of `size` bytes, as text.
fn told(talk: &[u8], size: usize) -> Result<Vec<String>, NatsError> {
    let mut parser = Parser::new(Limits { line_max: 256, message_max: 1024 });
    let mut input: Vec<u8> = Vec::new();
    let mut told = Vec::new();
    for piece in talk.chunks(size) {
        input.extend_from_slice(piece);
        while let Some((operation, length)) = parser.parse(&input)? {
            let text =
                |place: &std::ops::Range<usize>| String::from_utf8_lossy(&input[place.clone()]).into_owned();
            told.push(match &operation {
                Operation::Info(json) => format!("info {}", text(json)),
                Operation::Message(message) => format!(
                    "message {} {} [{}] [{}]",
                    text(&message.subject),
                    message.subscription,
                    text(&message.headers),
                    text(&message.payload)
                ),
                Operation::Refusal(words) => format!("refusal {}", text(words)),
                other => format!("{other:?}"),
            });
            input.drain(..length);
        }
    }
    Ok(told)
}

#[test]
fn a_talk_is_the_same_in_any_pieces() {
    let whole = told(TALK, TALK.len()).unwrap();
    assert_eq!(
        whole,
        [
            "info {\"headers\":true}",
            "Ping",
            "Done",
            "message a.b 7 [] [he\r\no]",
            "Pong",
            "message a 8 [NATS/1.0\r\nName: v w\r\n\r\n] [abc]",
            "refusal Permissions Violation",
        ]
    );
    for size in 1..TALK.len() {
        assert_eq!(told(TALK, size).unwrap(), whole, "in pieces of {size}");
    }
}

#[test]
fn what_is_too_long_or_no_message_is_refused() {
    let error = |talk: &[u8]| told(talk, talk.len()).unwrap_err();
    assert_eq!(error(b"HELLO\r\n"), NatsError::UnknownOperation);
    assert_eq!(error(&[b'x'; 300]), NatsError::LineTooLong(256));
    assert_eq!(error(b"MSG a 1 2000\r\n"), NatsError::MessageTooLong { bytes: 2000, bytes_max: 1024 });
    for line in [
        "MSG a 1\r\n",
        "MSG a 1 b c 5\r\n",
        "MSG a x 5\r\n",
        "MSG a 1 -5\r\n",
        "HMSG a 1 9 5\r\n",
        "MSG a 1 b c d e f\r\n",
    ] {
        assert_eq!(error(line.as_bytes()), NatsError::MalformedMessage, "{line}");
    }
    assert_eq!(error(b"MSG a 1 2\r\nabcd\r\n"), NatsError::MessageEnd);
}

#[test]
fn a_client_says_what_the_protocol_has_for_it() {
    let mut out = BytesMut::new();
    let login = Login { user: Some("al\"ice"), password: Some("pass"), token: None };
    encode_connect("hub", "1", login, &mut out);
    assert!(
        out.starts_with(b"CONNECT {") && out.ends_with(b",\"user\":\"al\\\"ice\",\"pass\":\"pass\"}\r\n")
    );
    assert!(!format!("{login:?}").contains("pass\""));
    out.clear();
    encode_subscribe(b"a.>", 3, &mut out);
    encode_unsubscribe(3, &mut out);
    encode_publish(b"a", b"", b"xyz", &mut out);
    let mut headers = BytesMut::new();
    encode_headers(&[("From", "me")], &mut headers);
    encode_publish(b"a", &headers, b"xyz", &mut out);
    assert_eq!(
        out.as_ref(),
        b"SUB a.> 3\r\nUNSUB 3\r\nPUB a 3\r\nxyz\r\nHPUB a 22 25\r\nNATS/1.0\r\nFrom: me\r\n\r\nxyz\r\n"
    );
    assert_eq!(header(&headers, "FROM"), Some(b"me".as_slice()));
    assert_eq!(header(&headers, "To"), None);
    assert_eq!(header(b"From: me", "From"), None);
}

proptest! {
    #[test]
    fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..400), size in 1_usize..64) {
        let _ = told(&bytes, size);
        let _ = header(&bytes, "From");
    }

    #[test]
    fn a_talk_with_wrong_bytes_is_read_or_refused(at in 0..TALK.len(), byte: u8, size in 1_usize..64) {
        let mut talk = TALK.to_vec();
        talk[at] = byte;
        let _ = told(&talk, size);
    }
}
