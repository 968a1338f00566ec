//! Bodies: what of the bytes is theirs, and where they end.

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::{
    BodyDecoder, BodyFault, BodyLimits, Fields, Framing, LAST_CHUNK, write_chunk_head, write_trailers,
};

/// A body that came: its bytes, how many bytes are behind it, and its trailers.
type Body = (Vec<u8>, usize, Option<Fields>);

/// Reads `bytes`, which come in pieces of `piece`; `None`: the body is not whole.
fn read(framing: Framing, bytes: &[u8], piece: usize) -> Result<Option<Body>, BodyFault> {
    let mut decoder = BodyDecoder::new(framing);
    let (mut input, mut body, mut rest) = (Vec::new(), Vec::new(), bytes);
    loop {
        loop {
            let piece = decoder.decode(&input)?;
            assert!(piece.skip + piece.data <= input.len());
            body.extend_from_slice(&input[piece.skip..piece.skip + piece.data]);
            input.drain(..piece.skip + piece.data);
            if piece.data == 0 {
                break;
            }
        }
        if decoder.is_done() {
            let trailers = decoder.take_trailers().map(|trailers| *trailers);
            return Ok(Some((body, input.len() + rest.len(), trailers)));
        }
        if rest.is_empty() {
            return if decoder.end().is_ok() { Ok(Some((body, 0, None))) } else { Ok(None) };
        }
        let (next, later) = rest.split_at(piece.min(rest.len()));
        input.extend_from_slice(next);
        rest = later;
    }
}

fn chunked(text: &str) -> Result<Option<Body>, BodyFault> {
    let whole = read(Framing::Chunked, text.as_bytes(), text.len().max(1));
    assert_eq!(read(Framing::Chunked, text.as_bytes(), 1), whole, "{text:?}");
    whole
}

#[test]
fn a_length_ends_where_it_says() {
    assert_eq!(read(Framing::Length(3), b"abcdef", 2).unwrap(), Some((b"abc".to_vec(), 3, None)));
    assert_eq!(read(Framing::Length(3), b"ab", 9).unwrap(), None);
    assert_eq!(read(Framing::Length(0), b"x", 1).unwrap(), Some((vec![], 1, None)));
    assert_eq!(read(Framing::Empty, b"x", 1).unwrap(), Some((vec![], 1, None)));
    assert_eq!(read(Framing::UntilClose, b"abc", 2).unwrap(), Some((b"abc".to_vec(), 0, None)));
    assert_eq!(BodyDecoder::new(Framing::Length(9)).remaining(), Some(9));
    assert_eq!(BodyDecoder::new(Framing::Length(9)).end(), Err(BodyFault::CutOff));
}

#[test]
fn chunks_are_put_together_and_trailers_kept() {
    let text =
        "3\r\nabc\r\n00a;x=\"y;\"\r\n0123456789\r\n0\r\nX-Sum: 7\r\nContent-Length: 9\r\nx-two:\r\n\r\nGET";
    let (body, behind, trailers) = chunked(text).unwrap().unwrap();
    assert_eq!((body.as_slice(), behind), (&b"abc0123456789"[..], 3));
    let trailers = trailers.unwrap();
    assert_eq!(
        (trailers.get("x-sum"), trailers.get("X-Two"), trailers.len()),
        (Some(&b"7"[..]), Some(&b""[..]), 2)
    );
    assert_eq!(chunked("0\r\n\r\n").unwrap(), Some((vec![], 0, None)));
    assert_eq!(chunked("A ;a\r\n0123456789\r\n0\r\n\r\n").unwrap().unwrap().0.len(), 10);
    for cut in 0..text.len() - 3 {
        assert_eq!(chunked(&text[..cut]).unwrap(), None);
    }
}

#[test]
fn chunks_others_would_read_differently_are_refused() {
    for (text, fault) in [
        ("+2\r\nab\r\n", BodyFault::ChunkSize),
        ("0x2\r\nab\r\n", BodyFault::ChunkSize),
        ("-1\r\n", BodyFault::ChunkSize),
        (" 2\r\nab\r\n", BodyFault::ChunkSize),
        ("2 \r\nab\r\n", BodyFault::ChunkSize),
        ("2 3\r\nab\r\n", BodyFault::ChunkSize),
        ("\r\n", BodyFault::ChunkSize),
        (";x\r\n", BodyFault::ChunkSize),
        ("g\r\n", BodyFault::ChunkSize),
        ("1000000000000000\r\n", BodyFault::ChunkSize),
        ("10000000000000002\r\nab\r\n", BodyFault::ChunkSize),
        ("2;\0\r\nab\r\n", BodyFault::ChunkSize),
        ("2\nab\r\n", BodyFault::BareLineFeed),
        ("2;x\nab\r\n", BodyFault::BareLineFeed),
        ("2;x\r y\r\nab\r\n", BodyFault::BareLineFeed),
        ("2\r\nab\n", BodyFault::BareLineFeed),
        ("2\r\nabc\r\n", BodyFault::ChunkEnd),
        ("2\r\nab\rx", BodyFault::ChunkEnd),
        ("0\r\nX: y\n\r\n", BodyFault::BareLineFeed),
        ("0\r\nX\r\n\r\n", BodyFault::Trailer),
        ("0\r\nX : y\r\n\r\n", BodyFault::Trailer),
        ("0\r\n X: y\r\n\r\n", BodyFault::Trailer),
        ("0\r\n: y\r\n\r\n", BodyFault::Trailer),
        ("0\r\nX: a\0\r\n\r\n", BodyFault::Trailer),
    ] {
        assert_eq!(chunked(text), Err(fault), "{text:?}");
    }
}

#[test]
fn what_comes_beside_the_body_is_bounded() {
    let long = format!("2;{}\r\nab\r\n", "x".repeat(300));
    assert_eq!(chunked(&long), Err(BodyFault::ChunkLine));
    assert_eq!(chunked(&"1".repeat(300)), Err(BodyFault::ChunkLine));
    let many = format!("1;{}\r\na\r\n", "x".repeat(200)).repeat(50);
    assert_eq!(chunked(&many), Err(BodyFault::Extensions));
    let trailers = format!("0\r\n{}", "X: y\r\n".repeat(33));
    assert_eq!(chunked(&trailers), Err(BodyFault::TrailersTooLarge));
    let large = format!("0\r\nX: {}\r\n", "y".repeat(9000));
    assert_eq!(chunked(&large), Err(BodyFault::TrailersTooLarge));
    let limits = BodyLimits { extensions_max: 2, ..BodyLimits::default() };
    let mut decoder = BodyDecoder::with_limits(Framing::Chunked, limits);
    assert_eq!(decoder.decode(b"1;abc\r\n"), Err(BodyFault::Extensions));
}

proptest! {
    #[test]
    fn what_is_written_is_read_as_it_was(
        chunks in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8),
        piece in 1_usize..100,
        with_trailers in any::<bool>(),
    ) {
        let mut bytes = Vec::new();
        for chunk in &chunks {
            write_chunk_head(chunk.len(), &mut bytes);
            bytes.extend_from_slice(chunk);
            bytes.extend_from_slice(b"\r\n");
        }
        let mut trailers = Fields::new();
        if with_trailers {
            trailers.append("X-Sum", "1");
            write_trailers(&trailers, &mut bytes);
        } else {
            bytes.extend_from_slice(LAST_CHUNK);
        }
        let (body, behind, found) = read(Framing::Chunked, &bytes, piece).unwrap().unwrap();
        assert_eq!((body, behind), (chunks.concat(), 0));
        assert_eq!(found, with_trailers.then_some(trailers));
    }

    #[test]
    fn noise_is_endured_and_pieces_make_no_difference(
        bytes in prop::collection::vec(prop::sample::select(b"0123aF;x:\r\n \t+\0".to_vec()), 0..60),
        piece in 1_usize..10,
    ) {
        assert_eq!(read(Framing::Chunked, &bytes, piece), read(Framing::Chunked, &bytes, bytes.len().max(1)));
    }
}

#[test]
fn the_head_of_a_chunk_is_its_size_in_hexadecimal() {
    for len in [1, 9, 10, 15, 16, 255, 256, 4096, 65_535, usize::MAX] {
        let mut out = Vec::new();
        write_chunk_head(len, &mut out);
        assert_eq!(String::from_utf8(out).unwrap(), format!("{len:x}\r\n"));
    }
}
