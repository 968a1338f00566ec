//! The table of RFC 9110 13.2.2, and what clients send that is not in it.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use proptest::prelude::{any, prop, proptest};
use remuda_wire::http::{Fields, Method};

use super::{Validators, Verdict};

const CHANGED: u64 = 784_111_777;
const DATE: &str = "Sun, 06 Nov 1994 08:49:37 GMT";
const BEFORE: &str = "Sun, 06 Nov 1994 08:49:36 GMT";

fn at(seconds: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(seconds)
}

fn validators() -> Validators {
    Validators { etag: "\"a,b\"".into(), modified: at(CHANGED) }
}

fn fields(list: &[(&str, &str)]) -> Fields {
    let mut fields = Fields::new();
    for (name, value) in list {
        fields.append(name, value);
    }
    fields
}

fn judge(list: &[(&str, &str)]) -> Verdict {
    validators().judge(&Method::Get, &fields(list))
}

#[test]
fn a_client_that_has_it_is_told_so() {
    for value in ["\"a,b\"", "*", "W/\"a,b\"", "\"x\", \"a,b\"", "\"x\" , W/\"a,b\",", ",\"a,b\""] {
        assert_eq!(judge(&[("If-None-Match", value)]), Verdict::NotModified, "{value}");
    }
    for value in ["\"a\"", "\"b\"", "a,b", "\"a,b", "", "\"a,b\"x\""] {
        let expected = if value.starts_with("\"a,b\"") { Verdict::NotModified } else { Verdict::Proceed };
        assert_eq!(judge(&[("If-None-Match", value)]), expected, "{value}");
    }
    assert_eq!(judge(&[("If-None-Match", "\"x\""), ("If-None-Match", "\"a,b\"")]), Verdict::NotModified);
    assert_eq!(judge(&[("If-Modified-Since", DATE)]), Verdict::NotModified);
    assert_eq!(judge(&[("If-Modified-Since", BEFORE)]), Verdict::Proceed);
    assert_eq!(judge(&[("If-Modified-Since", "yesterday")]), Verdict::Proceed);
    // A tag says more than a date.
    assert_eq!(judge(&[("If-None-Match", "\"x\""), ("If-Modified-Since", DATE)]), Verdict::Proceed);
}

#[test]
fn a_client_that_means_another_state_is_told_so() {
    assert_eq!(judge(&[("If-Match", "\"a,b\"")]), Verdict::Proceed);
    assert_eq!(judge(&[("If-Match", "*")]), Verdict::Proceed);
    assert_eq!(judge(&[("If-Match", "W/\"a,b\"")]), Verdict::Failed);
    assert_eq!(judge(&[("If-Match", "\"x\"")]), Verdict::Failed);
    assert_eq!(judge(&[("If-Unmodified-Since", BEFORE)]), Verdict::Failed);
    assert_eq!(judge(&[("If-Unmodified-Since", DATE)]), Verdict::Proceed);
    assert_eq!(judge(&[("If-Match", "\"a,b\""), ("If-Unmodified-Since", BEFORE)]), Verdict::Proceed);
    assert_eq!(judge(&[("If-Match", "\"a,b\""), ("If-None-Match", "\"a,b\"")]), Verdict::NotModified);
    assert_eq!(validators().judge(&Method::Put, &fields(&[("If-None-Match", "*")])), Verdict::Failed);
}

#[test]
fn a_part_is_given_only_of_the_state_it_is_a_part_of() {
    let allows = |value: &str| validators().allows_range(&fields(&[("If-Range", value)]));
    assert!(validators().allows_range(&Fields::new()));
    assert!(allows("\"a,b\"") && allows(DATE));
    assert!(!allows("W/\"a,b\"") && !allows("\"x\"") && !allows(BEFORE) && !allows("nonsense"));
    let weak = Validators { etag: "W/\"a,b\"".into(), ..validators() };
    assert!(!weak.allows_range(&fields(&[("If-Range", "W/\"a,b\"")])));
}

#[test]
fn a_young_file_has_a_weak_tag_and_none_is_from_the_future() {
    let tag = |age: u64| Validators::new(5, at(CHANGED), 7, "", at(CHANGED + age)).etag;
    assert!(tag(1).starts_with("W/\"") && tag(2).starts_with('"'));
    assert_eq!(tag(1).trim_start_matches("W/"), tag(9));
    let early = Validators::new(5, at(CHANGED + 100), 7, "", at(CHANGED));
    assert!(early.modified == at(CHANGED) && early.etag.starts_with("W/"));
    assert_ne!(tag(9), Validators::new(5, at(CHANGED), 7, "-br", at(CHANGED + 9)).etag);
}

proptest! {
    #[test]
    fn noise_is_endured(value in prop::collection::vec(any::<u8>(), 0..60)) {
        for name in ["if-match", "if-none-match", "if-modified-since", "if-unmodified-since", "if-range"] {
            let mut fields = Fields::new();
            fields.append(name, &value);
            let _whatever = validators().judge(&Method::Get, &fields);
            let _whatever = validators().allows_range(&fields);
        }
    }
}
