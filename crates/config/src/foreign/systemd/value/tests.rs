//! Values of unit files.

use proptest::prelude::*;

use super::{boolean, size, span};

#[test]
fn spans_add_up_and_know_their_units() {
    assert_eq!(span("30"), Some(Some(30.0)));
    assert_eq!(span("1min 30s"), Some(Some(90.0)));
    assert_eq!(span("1h2m3s"), Some(Some(3723.0)));
    assert_eq!(span("500ms"), Some(Some(0.5)));
    assert_eq!(span("infinity"), Some(None));
    assert_eq!([span(""), span("s"), span("3 parsecs"), span("-1")], [None; 4]);
}

#[test]
fn sizes_count_in_1024s() {
    assert_eq!(size("64K"), Some(Some(65_536)));
    assert_eq!(size("1.5G"), Some(Some(1_610_612_736)));
    assert_eq!(size("7"), Some(Some(7)));
    assert_eq!(size("infinity"), Some(None));
    assert_eq!([size(""), size("K"), size("3Z"), size("99999999999E")], [None; 4]);
}

#[test]
fn booleans_have_many_words() {
    assert_eq!(
        [boolean("Yes"), boolean("1"), boolean("off"), boolean("n")],
        [Some(true), Some(true), Some(false), Some(false)]
    );
    assert_eq!(boolean("maybe"), None);
}

proptest! {
    #[test]
    fn any_text_has_an_answer(text in "\\PC{0,12}") {
        let _ = (span(&text), size(&text), boolean(&text));
    }

    #[test]
    fn whole_seconds_are_themselves(seconds in 0..1_000_000_u32) {
        prop_assert_eq!(span(&seconds.to_string()), Some(Some(f64::from(seconds))));
    }
}
