//! A session is good until it ends or its token is renewed, and cannot be made up.

use proptest::prelude::{any, prop, proptest};

use super::{LASTING, begin, role_of};
use crate::keys::Keys;
use crate::place::Place;
use crate::token::Role;

fn keys() -> (tempfile::TempDir, Place) {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::new(folder.path().join("dashboard"));
    Keys::renew(&place, Role::Operate).unwrap();
    Keys::renew(&place, Role::View).unwrap();
    (folder, place)
}

fn read(place: &Place) -> Keys {
    Keys::read(place).unwrap().unwrap()
}

#[test]
fn a_session_has_its_role_until_it_ends() {
    let (_folder, place) = keys();
    let keys = read(&place);
    for role in [Role::View, Role::Operate] {
        let text = begin(&keys, role, 1000).unwrap();
        assert_eq!(role_of(&keys, &text, 1000), Some(role));
        assert_eq!(role_of(&keys, &text, 999 + LASTING.as_secs()), Some(role));
        assert_eq!(role_of(&keys, &text, 1000 + LASTING.as_secs()), None);
    }
}

#[test]
fn nobody_raises_a_session_or_makes_it_last() {
    let (_folder, place) = keys();
    let keys = read(&place);
    let text = begin(&keys, Role::View, 1000).unwrap();
    let ends = (1000 + LASTING.as_secs()).to_string();
    assert_eq!(role_of(&keys, &text.replace("view", "operate"), 1000), None);
    assert_eq!(role_of(&keys, &text.replace(&ends, "99999999999"), 1000), None);
    assert_eq!(role_of(&keys, &format!("{text}.x"), 1000), None);
}

#[test]
fn a_new_token_ends_the_sessions_of_its_role_and_no_others() {
    let (_folder, place) = keys();
    let before = read(&place);
    let (view, operate) = (begin(&before, Role::View, 0).unwrap(), begin(&before, Role::Operate, 0).unwrap());
    let token = Keys::renew(&place, Role::View).unwrap();
    let after = read(&place);
    assert_eq!(role_of(&after, &view, 1), None);
    assert_eq!(role_of(&after, &operate, 1), Some(Role::Operate));
    assert_eq!(after.role_of(token.as_str()), Some(Role::View));
}

#[test]
fn keys_of_another_dashboard_are_of_no_use() {
    let ((_one, one), (_two, two)) = (keys(), keys());
    let text = begin(&read(&one), Role::View, 0).unwrap();
    assert_eq!(role_of(&read(&two), &text, 1), None);
}

proptest! {
    #[test]
    fn nothing_that_comes_as_a_cookie_is_a_session_or_breaks_anything(
        text in ".{0,200}", place in any::<prop::sample::Index>(), byte in any::<u8>(),
    ) {
        let (_folder, folder) = keys();
        let keys = read(&folder);
        assert_eq!(role_of(&keys, &text, 0), None);
        let mut mutated = begin(&keys, Role::Operate, 0).unwrap().into_bytes();
        let place = place.index(mutated.len());
        if mutated[place] != byte {
            mutated[place] = byte;
            assert_eq!(role_of(&keys, &String::from_utf8_lossy(&mutated), 0), None);
        }
    }
}
