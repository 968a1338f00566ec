//! The name under which a keeper is found.

use std::path::Path;

use remuda_sys::users::effective_user;

use super::keeper_name;

#[test]
fn a_name_is_made_of_user_and_folder() {
    let user = effective_user();
    // Published test vectors of FNV-1a, 64 bits.
    assert_eq!(keeper_name(Path::new("")), format!("remuda-keeper-{user}-cbf29ce484222325"));
    assert_eq!(keeper_name(Path::new("a")), format!("remuda-keeper-{user}-af63dc4c8601ec8c"));
    assert_eq!(keeper_name(Path::new("foobar")), format!("remuda-keeper-{user}-85944171f73967e8"));
}
