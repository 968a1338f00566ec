//! What is left of URLs.

use proptest::prelude::*;

use super::veiled;

#[test]
fn a_password_gets_as_many_stars_as_it_has_bytes() {
    let shown = |text: &str| veiled(text).into_owned();
    assert_eq!(shown("a = \"redis://me:hunter2@r:1/0\""), "a = \"redis://me:*******@r:1/0\"");
    assert_eq!(
        shown("'nats://sesame@n', \"kafka://:p@ss/w@k\" x@y"),
        "'nats://******@n', \"kafka://:******@k\" x@y"
    );
    assert_eq!(shown("redis://:${A}hunter2${B}@r"), "redis://:***************@r");
    for kept in ["redis://r:6379", "http://a:1/b", "redis://me:${PASSWORD}@r", "a@b", "://@"] {
        assert_eq!(shown(kept), kept);
    }
}

proptest! {
    #[test]
    fn any_text_keeps_its_length(text in "([a-z]{0,3}://|[:@\"/ é]|[a-z])*") {
        prop_assert_eq!(veiled(&text).len(), text.len());
    }
}
