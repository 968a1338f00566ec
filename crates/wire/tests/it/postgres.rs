//! PostgreSQL's protocol: how a server is answered, whatever it says. Real servers are met in the tests of the hub.

use bytes::{BufMut as _, BytesMut};
use proptest::prelude::*;
use remuda_wire::postgres::{Account, MESSAGE_MAX_BYTES, Postgres, PostgresError};

fn account(password: Option<&str>) -> Account {
    Account {
        user: "me".to_owned(),
        password: password.map(str::to_owned),
        database: "db".to_owned(),
        application: "test".to_owned(),
    }
}

fn begun(password: Option<&str>) -> Postgres {
    Postgres::begin(account(password), &mut BytesMut::new()).unwrap()
}

fn message(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut bytes = BytesMut::new();
    bytes.put_u8(tag);
    bytes.put_i32(i32::try_from(body.len() + 4).unwrap());
    bytes.put_slice(body);
    bytes.to_vec()
}

fn authentication(kind: i32, body: &[u8]) -> Vec<u8> {
    message(b'R', &[&kind.to_be_bytes()[..], body].concat())
}

fn let_in() -> Vec<u8> {
    let key = message(b'K', &[0; 8]);
    [authentication(0, b""), message(b'S', b"server_version\x0015\0"), key, message(b'Z', b"I")].concat()
}

fn failure(severity: &str) -> Vec<u8> {
    let fields = format!("S{severity}\0V{severity}\0C55P03\0Mit is locked\0\0");
    message(b'E', fields.as_bytes())
}

/// What it answers to a talk that comes in pieces of `size` bytes.
fn told(postgres: &mut Postgres, talk: &[u8], size: usize) -> Result<(Vec<String>, BytesMut), PostgresError> {
    let (mut input, mut out, mut told) = (BytesMut::new(), BytesMut::new(), Vec::new());
    for piece in talk.chunks(size) {
        input.extend_from_slice(piece);
        while let Some(answer) = postgres.read(&mut input, &mut out)? {
            told.push(match (answer.row, answer.failure) {
                (_, Some(failure)) => format!("{} {}", failure.code, failure.text),
                (row, None) => format!("{row:?}"),
            });
        }
    }
    Ok((told, out))
}

fn row() -> Vec<u8> {
    message(b'D', &[&2_i16.to_be_bytes()[..], &2_i32.to_be_bytes(), b"42", &(-1_i32).to_be_bytes()].concat())
}

fn talk() -> Vec<u8> {
    let asked = [message(b'2', b""), row(), message(b'C', b"SELECT 1\0"), message(b'Z', b"I")].concat();
    let failed = [failure("ERROR"), message(b'Z', b"I")].concat();
    [let_in(), asked, failed, message(b'Z', b"I")].concat()
}

#[test]
fn answers_come_one_for_each_question_in_any_pieces() {
    let talk = talk();
    for size in 1..talk.len() {
        let (told, _) = told(&mut begun(None), &talk, size).unwrap();
        assert_eq!(
            told,
            ["None", "Some([Some(\"42\"), None])", "55P03 it is locked", "None"],
            "pieces of {size}"
        );
    }
}

#[test]
fn a_password_is_hashed_or_not_sent() {
    let hashed = authentication(5, &[1, 2, 3, 4]);
    let (_, out) = told(&mut begun(Some("secret")), &hashed, 100).unwrap();
    assert!(out.starts_with(b"p") && out.windows(3).any(|part| part == b"md5"), "{out:?}");
    assert!(!out.windows(6).any(|part| part == b"secret"));
    let asks = |talk: Vec<u8>, password| told(&mut begun(password), &talk, 100).unwrap_err();
    assert!(matches!(asks(hashed, None), PostgresError::NoPassword));
    assert!(matches!(asks(authentication(3, b""), Some("secret")), PostgresError::Method(_)));
    assert!(matches!(asks(authentication(7, b""), Some("secret")), PostgresError::Method(_)));
    assert!(matches!(asks(authentication(10, b"SCRAM-SHA-1\0\0"), Some("secret")), PostgresError::Method(_)));
    assert!(
        matches!(asks(failure("FATAL"), None), PostgresError::Refused(failure) if failure.text == "it is locked")
    );
}

#[test]
fn a_server_that_does_not_show_that_it_knows_the_password_or_asks_too_much_is_refused() {
    let begin = authentication(10, b"SCRAM-SHA-256\0\0");
    let refused = |next: &[u8]| {
        let mut postgres = begun(Some("secret"));
        let (_, out) = told(&mut postgres, &begin, 100).unwrap();
        let nonce = String::from_utf8(out.to_vec()).unwrap();
        let nonce = nonce.split("r=").nth(1).unwrap().to_owned();
        let next = String::from_utf8_lossy(next).replace("NONCE", &nonce);
        told(&mut postgres, &authentication(11, next.as_bytes()), 100).map(|_| postgres)
    };
    for rounds in ["100001", "4294967295", "99999999999999999999", "0", "x", "-1"] {
        let said = format!("r=NONCEmore,s=c2FsdA==,i={rounds}");
        assert!(matches!(refused(said.as_bytes()), Err(PostgresError::Login(_))), "{rounds}");
    }
    assert!(
        matches!(refused(b"r=another,s=c2FsdA==,i=4096"), Err(PostgresError::Login(_))),
        "a nonce not ours"
    );
    // It lets us in without having shown anything.
    let mut postgres = refused(b"r=NONCEmore,s=c2FsdA==,i=4096").unwrap();
    assert!(matches!(told(&mut postgres, &let_in(), 100), Err(PostgresError::Unasked)));
    let mut postgres = refused(b"r=NONCEmore,s=c2FsdA==,i=4096").unwrap();
    let wrong = authentication(12, b"v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=");
    assert!(matches!(told(&mut postgres, &wrong, 100), Err(PostgresError::Login(_))));
}

#[test]
fn what_has_no_place_ends_the_conversation() {
    let ends = |talk: Vec<u8>| told(&mut begun(None), &talk, 7).unwrap_err();
    assert!(matches!(ends(message(b'Z', b"I")), PostgresError::Unasked), "ready, and has not let us in");
    assert!(matches!(ends([let_in(), authentication(0, b"")].concat()), PostgresError::Unasked));
    assert!(matches!(ends([let_in(), failure("FATAL")].concat()), PostgresError::Ended(_)));
    let mut long = vec![b'D'];
    long.extend_from_slice(&i32::try_from(MESSAGE_MAX_BYTES).unwrap().to_be_bytes());
    assert!(matches!(ends([let_in(), long].concat()), PostgresError::Long), "before any of it is there");
}

proptest! {
    #[test]
    fn anything_is_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..2000), is_in: bool) {
        let talk = if is_in { [let_in(), bytes].concat() } else { bytes };
        let _ = told(&mut begun(Some("secret")), &talk, 100);
    }

    #[test]
    fn a_harmed_talk_is_read_or_refused(place in 0..200_usize, byte: u8, size in 1..64_usize) {
        let mut talk = talk();
        let place = place % talk.len();
        talk[place] = byte;
        let _ = told(&mut begun(Some("secret")), &talk, size);
    }
}
