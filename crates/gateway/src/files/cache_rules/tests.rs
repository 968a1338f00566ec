//! Patterns and the paths they fit.

use remuda_model::gateway::CacheRule;

use super::{cache_control, fits};

#[test]
fn a_star_stands_for_anything() {
    for (pattern, path, expected) in [
        ("/a", "/a", true),
        ("/a", "/ab", false),
        ("/a/*", "/a/b/c", true),
        ("/a/*", "/a", false),
        ("*.css", "/x/y.css", true),
        ("*.css", "/x/y.css.map", false),
        ("/*/v*.js", "/lib/v2.js", true),
        ("/*/v*.js", "/v.js", false),
        ("*", "", true),
        ("*a*a", "/a", false),
        ("*a*a", "/aa", true),
    ] {
        assert_eq!(fits(pattern.as_bytes(), path.as_bytes()), expected, "{pattern} {path}");
    }
}

#[test]
fn the_first_rule_decides() {
    let rule = |paths: &str, value: &str| CacheRule { paths: paths.to_owned(), value: value.to_owned() };
    let rules = [rule("/assets/*", "immutable"), rule("*", "no-cache")];
    assert_eq!(cache_control(&rules, b"/assets/x.js"), Some("immutable"));
    assert_eq!(cache_control(&rules, b"/x"), Some("no-cache"));
    assert_eq!(cache_control(&[], b"/x"), None);
}
