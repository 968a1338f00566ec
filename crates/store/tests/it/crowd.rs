//! Where there is much of something, a step costs what it does, not what lies there: each of these takes a second or
//! two, and would not end in a test's time if it were otherwise.

use remuda_store::{ClientId, Mode, StoreOptions};

use crate::bench::Bench;

const MANY: u64 = 60_000;

#[test]
fn an_element_for_one_of_many_who_wait_asks_none_of_the_others() {
    let mut bench = Bench::with(StoreOptions { keeps_effects: false, ..StoreOptions::default() });
    for client in 1..=MANY {
        assert_eq!(bench.client(client, "BLPOP jobs 0"), "waits");
    }
    for client in 1..=MANY {
        assert_eq!(bench.client(MANY + 1, "LPUSH jobs one"), ":1");
        assert_eq!(bench.serve(), [format!(r#"{client}: ["jobs" "one"]"#)]);
    }
}

#[test]
fn a_long_list_is_trimmed_by_what_goes() {
    let mut bench = Bench::with(StoreOptions { keeps_effects: false, ..StoreOptions::default() });
    let elements = vec![&b"x"[..]; 1000];
    let push = [&[&b"RPUSH"[..], b"log"], &elements[..]].concat();
    for _ in 0..300 {
        bench.run_as(ClientId(1), &push, Mode::Normal);
    }
    for _ in 0..MANY {
        assert_eq!(bench.run("LPUSH log y"), ":300001");
        assert_eq!(bench.run("LTRIM log 0 299999"), "+OK");
    }
    assert_eq!(bench.run("LTRIM log 1 0"), "+OK");
    assert_eq!(bench.store.used_bytes(), 0);
}

#[test]
fn a_watch_of_many_keys_is_put_up_key_by_key() {
    let keys = usize::try_from(MANY).unwrap();
    let mut bench = Bench::with(StoreOptions { watched_max: keys, ..StoreOptions::default() });
    for _again in 0..2 {
        for key in 0..keys - 1 {
            assert!(bench.store.watch(bench.moment, ClientId(1), 0, format!("key:{key}").as_bytes()));
        }
    }
    assert!(bench.store.is_intact(bench.moment, ClientId(1)));
    bench.run("SET key:7 x");
    assert!(!bench.store.is_intact(bench.moment, ClientId(1)));
    bench.store.unwatch(ClientId(1));
    assert!(bench.store.is_intact(bench.moment, ClientId(1)));
}
