//! What is written is read, however it is cut.

use proptest::prelude::{any, prop, proptest};

use super::{BLOCK_MAX_BYTES, Block, KEEP_ALIVE, Parser, SseError, block};

proptest! {
    #[test]
    fn events_survive_any_cut(texts in prop::collection::vec(any::<String>(), 1..5), cut in 1_usize..40) {
        let mut bytes = String::new();
        for (id, text) in (1..).zip(&texts) {
            bytes.push_str(&block(Some(id), "line", text).unwrap());
            bytes.push_str(KEEP_ALIVE);
        }
        let mut parser = Parser::new();
        let mut read = Vec::new();
        for piece in bytes.as_bytes().chunks(cut) {
            read.extend(parser.push(piece).unwrap());
        }
        let back: Vec<String> = read.iter().map(|block| serde_json::from_str(&block.data).unwrap()).collect();
        assert_eq!(back, texts);
        assert_eq!(read.last().unwrap().id, Some(texts.len().to_string()));
    }

    #[test]
    fn no_bytes_make_the_parser_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = Parser::new().push(&bytes);
    }
}

#[test]
fn the_three_line_ends_and_several_data_lines_are_understood() {
    let blocks = Parser::new().push(b"event: a\r\ndata: 1\r\rdata:2\ndata: 3\n\n").unwrap();
    let first = Block { id: None, event: "a".into(), data: "1".into() };
    assert_eq!(blocks, [first, Block { data: "2\n3".into(), ..Block::default() }]);
}

#[test]
fn a_block_beyond_the_limit_is_refused() {
    let mut parser = Parser::new();
    let megabyte = vec![b'x'; 1024 * 1024];
    let pushes = (0..=BLOCK_MAX_BYTES / megabyte.len()).map(|_| parser.push(&megabyte));
    assert!(pushes.collect::<Vec<_>>().contains(&Err(SseError::TooLong)));
}

#[test]
fn comments_for_hours_do_not_fill_the_parser() {
    let mut parser = Parser::new();
    for _ in 0..BLOCK_MAX_BYTES / 4 {
        assert_eq!(parser.push(b": keep-alive\n"), Ok(vec![]));
    }
}
