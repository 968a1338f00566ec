//! Queries there and back, and text by chance.

use proptest::prelude::{any, proptest};

use super::{QueryError, append, parse};

proptest! {
    #[test]
    fn what_is_appended_is_parsed(name in "[a-z_]{1,10}", value in any::<String>()) {
        let mut target = String::from("/v1/logs");
        append(&mut target, &name, &value);
        append(&mut target, "last", "1");
        let query = target.split_once('?').unwrap().1;
        assert_eq!(parse(query).unwrap(), [(name, value), ("last".into(), "1".into())]);
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in any::<String>()) {
        let _ = parse(&text);
    }
}

#[test]
fn half_an_escape_is_refused() {
    assert_eq!(parse("a=%4"), Err(QueryError::Encoding("%4".into())));
    assert_eq!(parse("a=%+1"), Err(QueryError::Encoding("%+1".into())));
    assert_eq!(parse("a=%ff"), Err(QueryError::Encoding("%ff".into())));
}
