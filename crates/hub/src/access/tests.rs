//! What rules about keys let through.

use remuda_model::hub::Access;

use super::User;

fn guest() -> User {
    let access = Access { keys: Some(vec!["guest:".to_owned()]), ..Access::default() };
    User { name: "guest".to_owned(), access, is_known: true }
}

fn run(user: &User, command: &str) -> Result<(), String> {
    let words: Vec<&[u8]> = command.split(' ').map(str::as_bytes).collect();
    let spec = remuda_store::lookup(words[0]).unwrap();
    user.may_run(spec, &words).map_err(|denied| denied.to_string())
}

#[test]
fn no_order_of_options_gets_at_another_key() {
    let guest = guest();
    for good in
        ["GET guest:a", "SORT guest:l STORE guest:m", "SORT guest:l GET store", "XREAD STREAMS guest:s 0"]
    {
        assert_eq!(run(&guest, good), Ok(()), "{good}");
    }
    for bad in [
        "GET secret",
        "SORT guest:l ALPHA STORE secret GET store",
        "SORT guest:l STORE guest:m STORE secret",
        "SORT guest:l GET w_*",
        "SORT guest:l BY w_*",
        "SORT_RO guest:l GET w_*->field",
        "XREADGROUP GROUP streams guest:c STREAMS secret >",
        "KEYS *",
        "FLUSHALL",
    ] {
        assert!(run(&guest, bad).is_err(), "{bad}");
    }
}

#[test]
fn what_tells_of_keys_is_told_again_to_those_alone_who_would_have_heard_it() {
    let guest = guest();
    assert!(guest.may_replay(b"") && guest.may_replay(b"news") && guest.may_replay(b"store.guest:"));
    assert!(!guest.may_replay(b"store.") && !guest.may_replay(b"__key"));
    let unknown = User { name: "default".to_owned(), access: Access::default(), is_known: false };
    assert!(unknown.may_replay(b"news") && !unknown.may_replay(b"store."));
}
