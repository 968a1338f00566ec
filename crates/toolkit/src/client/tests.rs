//! Addresses, and what comes of a hub that says what it should not.

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use proptest::prelude::{any, proptest};

use super::scan::pattern_of;
use super::{Address, AddressError, ClientError, Heard, Hub, Place, Seen, Timeouts};
use crate::Environment;

const HELLO: &str = "%1\r\n$5\r\nproto\r\n:3\r\n";

/// A hub that answers each connection with one of `scripts`, whatever it is asked, and then waits to be left.
fn acting(scripts: Vec<String>) -> (Hub, JoinHandle<()>, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("store.sock");
    let listener = UnixListener::bind(&path).unwrap();
    let server = std::thread::spawn(move || {
        for script in scripts {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(10))).unwrap();
            // Who has heard enough may be gone.
            let _ = stream.write_all(script.as_bytes());
            let _ = stream.read_to_end(&mut Vec::new());
        }
    });
    let timeouts = Timeouts { reply: Duration::from_millis(300), ..Timeouts::default() };
    (Hub::new(Address::unix(path)).timeouts(timeouts), server, folder)
}

#[test]
fn addresses_are_read_as_clients_of_redis_read_them() {
    let tcp = |host: &str, port, login: Option<(&str, &str)>, database| Address {
        place: Place::Tcp(host.to_owned(), port),
        login: login.map(|(name, token)| (name.to_owned(), token.to_owned())),
        database,
    };
    assert_eq!(
        Address::parse("redis://web:s%40c@127.0.0.1:7000/3"),
        Ok(tcp("127.0.0.1", 7000, Some(("web", "s@c")), 3))
    );
    assert_eq!(Address::parse("redis://:token@[::1]"), Ok(tcp("::1", 6379, Some(("default", "token")), 0)));
    assert_eq!(Address::parse("redis://host"), Ok(tcp("host", 6379, None, 0)));
    let unix = Address::parse("unix://web:t@/run/a%20b/store.sock?db=2").unwrap();
    assert_eq!((unix.place, unix.database), (Place::Unix("/run/a b/store.sock".into()), 2));
    for (wrong, why) in [
        ("http://x", AddressError::Scheme),
        ("redis://", AddressError::Place),
        ("unix://relative", AddressError::Place),
        ("redis://h:0", AddressError::Port),
        ("redis://h:99999", AddressError::Port),
        ("redis://h/x", AddressError::Database),
        ("unix:///a%zz", AddressError::Escape),
        ("unix:///a%f", AddressError::Escape),
        ("unix:///a%ff", AddressError::Escape),
    ] {
        assert_eq!(Address::parse(wrong), Err(why), "{wrong}");
    }
}

#[test]
fn a_token_is_not_shown() {
    let address = Address::parse("redis://web:secret@h:1/0").unwrap();
    assert!(!format!("{address:?} {address}").contains("secret"));
    assert_eq!(address.to_string(), "h:1");
}

#[test]
fn without_a_hub_in_the_environment_there_is_none() {
    assert!(matches!(Hub::from_environment(&Environment::default()), Err(ClientError::NoHub)));
}

#[test]
fn a_prefix_stands_for_itself_in_a_pattern() {
    assert_eq!(pattern_of(b"a*b?[c]\\"), b"a\\*b\\?\\[c\\]\\\\*");
}

#[test]
fn an_answer_that_does_not_come_is_late_and_the_next_question_has_another_connection() {
    let (hub, server, _folder) = acting(vec![HELLO.to_owned(), format!("{HELLO}$2\r\nhi\r\n")]);
    let mut store = hub.store();
    let began = Instant::now();
    assert!(matches!(store.command(&[b"GET", b"a"]), Err(ClientError::Late { .. })));
    assert!(began.elapsed() < Duration::from_secs(5));
    assert_eq!(store.get(b"a").unwrap(), Some(b"hi".to_vec()));
    drop(store);
    server.join().unwrap();
}

#[test]
fn being_turned_away_and_nonsense_are_told_apart() {
    let turned_away = "-WRONGPASS no\r\n".to_owned();
    let (hub, server, _folder) = acting(vec![turned_away, "HTTP/1.1 400\r\n".to_owned()]);
    assert!(
        matches!(hub.store().get(b"a"), Err(ClientError::Refused { reason, .. }) if reason.starts_with("WRONGPASS"))
    );
    assert!(matches!(hub.store().get(b"a"), Err(ClientError::Malformed { .. })));
    server.join().unwrap();
    assert!(matches!(hub.store().get(b"a"), Err(ClientError::Connect { .. })));
}

#[test]
fn a_subscription_comes_back_and_tells_what_is_missing() {
    let message =
        |sequence: u64| format!(">4\r\n$10\r\nbusmessage\r\n:{sequence}\r\n$3\r\nn.a\r\n$1\r\nx\r\n");
    let confirmed = ">3\r\n$12\r\nbussubscribe\r\n$2\r\nn.\r\n:4\r\n";
    let first = format!("{HELLO}{confirmed}{}{}?", message(5), message(6));
    let second = format!("{HELLO}{confirmed}>2\r\n$6\r\nbusgap\r\n:2\r\n{}", message(9));
    let (hub, server, _folder) = acting(vec![first, second]);
    let mut subscription = hub.subscribe([b"n.".as_slice(), b"n.more"]);
    let mut next = || subscription.next(Duration::from_secs(10)).unwrap().unwrap();
    assert!(matches!(next(), Heard::Message(message) if message.sequence == 5));
    assert!(matches!(next(), Heard::Message(message) if message.sequence == 6));
    assert!(matches!(next(), Heard::Away(_)));
    assert!(matches!(next(), Heard::Back));
    assert!(matches!(next(), Heard::Missed(2)));
    assert!(matches!(next(), Heard::Message(message) if message.sequence == 9));
    assert_eq!(subscription.position(), Some(9));
    drop(subscription);
    server.join().unwrap();
}

proptest! {
    #[test]
    fn no_text_makes_an_address_panic(text in any::<String>(), rest in "[@:/%?=0-9a-f\\[\\]]{0,40}") {
        let _ = Address::parse(&text);
        let _ = Address::parse(&format!("redis://{rest}"));
        let _ = Address::parse(&format!("unix://{rest}"));
    }
}

/// What the hub says to a watch that begins: its subscriptions, the revision, and how it keeps its store.
fn standing(revision: u64) -> String {
    let info = "# Server\r\nrun_id:a\r\nstore_events:values\r\naof_enabled:1\r\n";
    format!("{HELLO}:{revision}\r\n={}\r\ntxt:{info}\r\n", info.len() + 4)
}

#[test]
fn a_watch_that_is_cut_off_while_it_reads_says_so_and_reads_anew() {
    let page = |cursor: &str, key: &str| {
        format!("*2\r\n${}\r\n{cursor}\r\n*1\r\n$1\r\n{key}\r\n$1\r\n1\r\n", cursor.len())
    };
    let first = format!("{}{}", standing(5), page("7", "a"));
    let second = format!("{}{}{}*0\r\n", standing(6), page("7", "a"), page("0", "b"));
    let (hub, server, _folder) = acting(vec![first, second]);
    let mut watch = hub.watch(b"");
    let mut next = || watch.next(Duration::from_secs(10)).unwrap().unwrap();
    assert!(matches!(next(), Seen::Key { key, .. } if key == b"a"));
    assert!(matches!(next(), Seen::Away(_)));
    assert!(matches!(next(), Seen::Back));
    assert!(matches!(next(), Seen::Forgotten));
    assert!(matches!(next(), Seen::Key { key, .. } if key == b"a"));
    assert!(matches!(next(), Seen::Key { key, .. } if key == b"b"));
    assert!(matches!(next(), Seen::Complete(6)));
    drop(watch);
    server.join().unwrap();
}

#[test]
fn a_watch_that_hears_of_changes_does_not_ask_for_them_all_the_time() {
    // One look after the keys are read; a second one would find no answer, and be late.
    let script = format!("{}*2\r\n$1\r\n0\r\n*0\r\n*0\r\n", standing(5));
    let (hub, server, _folder) = acting(vec![script]);
    let mut watch = hub.watch(b"");
    assert!(matches!(watch.next(Duration::from_secs(10)).unwrap(), Some(Seen::Complete(5))));
    assert!(watch.next(Duration::from_millis(1500)).unwrap().is_none());
    drop(watch);
    server.join().unwrap();
}

#[test]
fn the_longest_time_there_is_is_no_reason_to_panic() {
    let message = ">4\r\n$10\r\nbusmessage\r\n:5\r\n$3\r\nn.a\r\n$1\r\nx\r\n";
    let call = "*4\r\n$1\r\ns\r\n:7\r\n$3\r\nask\r\n$3\r\nweb\r\n";
    let scripts =
        vec![format!("{HELLO}{message}"), format!("{HELLO}$2\r\nhi\r\n"), format!("{HELLO}+OK\r\n{call}")];
    let (hub, server, _folder) = acting(scripts);
    let mut subscription = hub.subscribe([b"n.".as_slice()]);
    assert!(matches!(subscription.next(Duration::MAX), Ok(Some(Heard::Message(_)))));
    drop(subscription);
    let mut caller = hub.caller();
    assert_eq!(caller.call(b"s", Duration::MAX, b"ask").unwrap(), b"hi");
    drop(caller);
    let mut answering = hub.serve(b"s", 1);
    let call = answering.next(Duration::MAX).unwrap().unwrap();
    assert_eq!((call.number, call.caller.as_slice()), (7, b"web".as_slice()));
    drop(answering);
    server.join().unwrap();
}

#[test]
fn a_worker_that_was_told_nonsense_asks_on_another_connection() {
    let good = format!("{HELLO}+OK\r\n*4\r\n$1\r\ns\r\n:7\r\n$3\r\nask\r\n$3\r\nweb\r\n");
    let scripts = vec![format!("{HELLO}+OK\r\n+what\r\n"), format!("{HELLO}+OK\r\n?\r\n"), good];
    let (hub, server, _folder) = acting(scripts);
    let mut answering = hub.serve(b"s", 1);
    let within = Duration::from_secs(10);
    assert!(matches!(answering.next(within), Err(ClientError::Unexpected { .. })));
    assert!(matches!(answering.next(within), Err(ClientError::Malformed { .. })));
    assert_eq!(answering.next(within).unwrap().unwrap().number, 7);
    drop(answering);
    server.join().unwrap();
}
