//! Lines, wherever the reads end.

use proptest::prelude::*;

use super::{Cut, Splitter};

fn lines(line_max: u64, chunks: &[&[u8]]) -> Vec<(String, bool)> {
    let mut found = Vec::new();
    let mut each = |cut: Cut| found.push((cut.text, cut.partial));
    let mut splitter = Splitter::new(line_max);
    for chunk in chunks {
        splitter.take(chunk, &mut each);
    }
    splitter.finish(&mut each);
    found
}

fn whole(text: &str) -> (String, bool) {
    (text.to_owned(), false)
}

fn part(text: &str) -> (String, bool) {
    (text.to_owned(), true)
}

#[test]
fn lines_are_whole_wherever_the_reads_end() {
    assert_eq!(
        lines(100, &[b"one\ntw", b"o\r\n", b"\nthree"]),
        [whole("one"), whole("two"), whole(""), part("three")]
    );
}

#[test]
fn a_long_line_is_cut_and_says_so() {
    assert_eq!(lines(4, &[b"abcdefghij\nk\n"]), [part("abcd"), part("efgh"), whole("ij"), whole("k")]);
}

#[test]
fn bytes_that_are_no_text_do_not_harm() {
    assert_eq!(lines(100, &[b"a\xffb\0c\n"]), [whole("a\u{fffd}bc")]);
}

proptest! {
    #[test]
    fn no_byte_is_lost_however_the_reads_cut(
        text in proptest::collection::vec(prop_oneof![Just(b'\n'), b'a'..=b'z'], 0..400),
        cuts in proptest::collection::vec(1_usize..50, 0..40),
        line_max in 1_u64..60,
    ) {
        let mut rest = text.as_slice();
        let mut chunks = Vec::new();
        for cut in cuts {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            chunks.push(head);
            rest = tail;
        }
        chunks.push(rest);
        let mut rebuilt = String::new();
        for (line, partial) in lines(line_max, &chunks) {
            prop_assert!(line.len() as u64 <= line_max);
            rebuilt.push_str(&line);
            if !partial {
                rebuilt.push('\n');
            }
        }
        prop_assert_eq!(rebuilt.into_bytes(), text);
    }
}
