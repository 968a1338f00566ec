//! Pages of other origins, and patterns of those that are let in.

use remuda_wire::http::{Head, Method, Version};

use super::{Verdict, judge, matches};

fn head(origin: Option<&str>) -> Head {
    let fields = origin.map(|origin| ("origin", origin.as_bytes()));
    Head::compose(Version::Http11, Method::Get, b"/", Some(b"shop.example:8080"), fields).unwrap()
}

#[test]
fn pages_of_other_origins_are_refused_unless_named() {
    let origins = ["https://*.friend.example".to_owned()];
    assert_eq!(judge(&origins, &head(None)), Verdict::Own);
    assert_eq!(judge(&origins, &head(Some("http://shop.example:8080"))), Verdict::Own);
    assert_eq!(judge(&origins, &head(Some("http://shop.example"))), Verdict::Refused);
    assert_eq!(judge(&origins, &head(Some("null"))), Verdict::Refused);
    assert_eq!(judge(&origins, &head(Some("https://evil.example"))), Verdict::Refused);
    let named = "https://a.friend.example";
    assert_eq!(judge(&origins, &head(Some(named))), Verdict::Named(named.into()));
    assert_eq!(
        judge(&["*".into()], &head(Some("https://evil.example"))),
        Verdict::Named("https://evil.example".into())
    );
}

#[test]
fn a_star_stands_for_any_text_and_nothing_else_does() {
    for (pattern, text, expected) in [
        ("https://a.b", "https://a.b", true),
        ("https://a.b", "https://a.b.evil", false),
        ("https://*.b", "https://a.B", true),
        ("https://*.b", "https://a.b.evil", false),
        ("http*://a*b", "https://axyb", true),
        ("*aa*aa", "aaa", false),
        ("*", "", true),
    ] {
        assert_eq!(matches(pattern, text), expected, "{pattern} {text}");
    }
}
