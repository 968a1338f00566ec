//! Commands as clients and people send them.

use bytes::BytesMut;
use proptest::prelude::{any, prop, proptest};
use remuda_wire::resp::{CommandParser, Limits, RespError, encode_command};

fn authenticated() -> CommandParser {
    let mut parser = CommandParser::new(Limits::default());
    parser.set_authenticated(true);
    parser
}

/// All commands in `bytes`, which come in pieces of `piece` bytes.
fn commands(parser: &mut CommandParser, bytes: &[u8], piece: usize) -> Result<Vec<Vec<Vec<u8>>>, RespError> {
    let mut input = BytesMut::new();
    let mut arguments = Vec::new();
    let mut found = Vec::new();
    for chunk in bytes.chunks(piece) {
        input.extend_from_slice(chunk);
        while let Some(len) = parser.parse(&mut input, &mut arguments)? {
            found.push(arguments.iter().map(|place| input[place.clone()].to_vec()).collect());
            let _taken = input.split_to(len);
        }
    }
    Ok(found)
}

fn fault(bytes: &[u8]) -> String {
    commands(&mut authenticated(), bytes, 1).unwrap_err().to_string()
}

fn words(line: &str) -> Vec<Vec<u8>> {
    let found = commands(&mut authenticated(), format!("{line}\r\n").as_bytes(), 3).unwrap();
    found.into_iter().next().unwrap()
}

proptest! {
    #[test]
    fn commands_are_read_as_they_were_written(
        list in prop::collection::vec(prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8), 0..6),
        piece in 1_usize..700,
    ) {
        let mut bytes = BytesMut::new();
        for command in &list {
            let arguments: Vec<&[u8]> = command.iter().map(Vec::as_slice).collect();
            encode_command(&arguments, &mut bytes);
        }
        assert_eq!(commands(&mut authenticated(), &bytes, piece).unwrap(), list);
    }
}

#[test]
fn lines_and_arrays_follow_each_other() {
    let bytes = b"PING\r\n*1\r\n$4\r\nPING\r\n\r\n*0\r\n*-1\r\n  set  a\tb \n*2\r\n$0\r\n\r\n$1\r\nx\r\n";
    for piece in 1..bytes.len() {
        let found = commands(&mut authenticated(), bytes, piece).unwrap();
        let found: Vec<Vec<_>> = found
            .iter()
            .map(|command| command.iter().map(|word| str::from_utf8(word).unwrap()).collect())
            .collect();
        let expected: [&[&str]; 7] = [&["PING"], &["PING"], &[], &[], &[], &["set", "a", "b"], &["", "x"]];
        assert_eq!(found, expected);
    }
}

#[test]
fn words_in_quotes_are_resolved_as_redis_does() {
    assert_eq!(words(r#"set "a b" 'c d' """#), [&b"set"[..], b"a b", b"c d", b""]);
    assert_eq!(words(r#""\x00\xfF\n\r\t\b\a\q\"" x"#), [&b"\x00\xff\n\r\t\x08\x07q\""[..], b"x"]);
    assert_eq!(words(r#"'it\'s \n' pre"fix""#), [&br"it's \n"[..], b"prefix"]);
    assert_eq!(words(r#""\xg1""#), [b"xg1"]);
    for line in ["\"a", "'a", "\"a\"b", "'a'b", "\"a\\"] {
        assert_eq!(fault(format!("{line}\r\n").as_bytes()), "Protocol error: unbalanced quotes in request");
    }
}

#[test]
fn faults_have_the_words_of_redis() {
    for bytes in
        [&b"*x\r\n"[..], b"*01\r\n", b"*+1\r\n", b"*\r\n", b"*1048577\r\n", b"*99999999999999999999\r\n"]
    {
        assert_eq!(fault(bytes), "Protocol error: invalid multibulk length");
    }
    for bytes in
        [&b"*1\r\n$-1\r\n"[..], b"*1\r\n$x\r\n", b"*1\r\n$67108865\r\n", b"*1\r\n$9223372036854775807\r\n"]
    {
        assert_eq!(fault(bytes), "Protocol error: invalid bulk length");
    }
    assert_eq!(fault(b"*1\r\n:1\r\n"), "Protocol error: expected '$', got ':'");
    assert_eq!(fault(b"*1\r\n\x01"), "Protocol error: expected '$', got '?'");
    assert_eq!(fault(&[b"*", &[b'1'; 40][..]].concat()), "Protocol error: too big mbulk count string");
    assert_eq!(fault(&[b"*1\r\n$", &[b'1'; 40][..]].concat()), "Protocol error: too big bulk count string");
    assert_eq!(fault(&[b'a'; 65537]), "Protocol error: too big inline request");
    assert_eq!(fault(b"*1\r\n$1\r\nabc"), "Protocol error: expected the end of a bulk string");
}

#[test]
fn who_has_not_authenticated_sends_little() {
    let mut parser = CommandParser::new(Limits::default());
    let ten = [&b"*10\r\n"[..], &b"$1\r\nx\r\n".repeat(10)].concat();
    assert_eq!(commands(&mut parser, &ten, 9).unwrap()[0].len(), 10);
    let error = commands(&mut parser, b"*11\r\n", 9).unwrap_err();
    assert_eq!(error.to_string(), "Protocol error: unauthenticated multibulk length");
    let mut parser = CommandParser::new(Limits::default());
    let error = commands(&mut parser, b"*1\r\n$16385\r\n", 9).unwrap_err();
    assert_eq!(error.to_string(), "Protocol error: unauthenticated bulk length");
}

#[test]
fn a_command_has_a_limit_as_a_whole() {
    let mut parser = CommandParser::new(Limits { query_max: 100, ..Limits::default() });
    parser.set_authenticated(true);
    let error =
        commands(&mut parser, &[&b"*50\r\n"[..], &b"$1\r\nx\r\n".repeat(50)].concat(), 10).unwrap_err();
    assert_eq!(error, RespError::QueryTooBig);
}
