//! A reload in the very moment in which a client is in the middle of something.

use std::time::Duration;

use crate::harness::Instance;
use crate::hub_durability::Wire;

const HUB: &str = "[bus]\n[store]\n[hub]\nstate = \"state\"\n";

fn reload(instance: &Instance) {
    instance.remuda(&["reload", "hub"]).done();
}

#[test]
fn a_command_sent_by_half_is_understood_when_the_rest_comes() {
    let instance = Instance::up(HUB);
    let command = b"*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$10\r\n0123456789\r\n";
    let mut wires: Vec<(usize, Wire)> = Vec::new();
    for cut in [1, 3, 9, 20, 31, command.len() - 1] {
        let mut wire = Wire::new(&instance);
        assert_eq!(wire.ask("PING"), "+PONG");
        wire.send(&command[..cut]);
        wires.push((cut, wire));
    }
    let mut inline = Wire::new(&instance);
    inline.send(b"SET inl");
    reload(&instance);
    for (cut, wire) in &mut wires {
        wire.send(&command[*cut..]);
        assert_eq!(wire.line(), "+OK", "cut at {cut}");
    }
    inline.send(b"ine 1\r\n");
    inline.expect("+OK\r\n");
    assert_eq!(inline.text("GET half").as_deref(), Some("0123456789"));
    instance.end();
}

#[test]
fn a_transaction_goes_on_and_one_that_watches_is_undone() {
    let instance = Instance::up(HUB);
    let mut open = Wire::new(&instance);
    assert_eq!(open.ask("SELECT 3"), "+OK");
    assert_eq!(open.ask("MULTI"), "+OK");
    assert_eq!(open.ask("SET left 1"), "+QUEUED");
    let (mut watching, mut watches) = (Wire::new(&instance), Wire::new(&instance));
    assert_eq!(watching.ask("WATCH key"), "+OK");
    assert_eq!(watching.ask("MULTI"), "+OK");
    assert_eq!(watching.ask("SET key 1"), "+QUEUED");
    assert_eq!(watches.ask("WATCH key"), "+OK");
    let mut poisoned = Wire::new(&instance);
    assert_eq!(poisoned.ask("MULTI"), "+OK");
    assert!(poisoned.ask("NOSUCH").starts_with("-ERR"));
    reload(&instance);
    assert_eq!(open.ask("SET right 1"), "+QUEUED");
    open.send(b"EXEC\r\n");
    open.expect("*2\r\n+OK\r\n+OK\r\n");
    assert_eq!(open.ask("EXISTS left right"), ":2");
    assert_eq!(watching.ask("EXEC"), "*-1");
    assert_eq!(watching.ask("EXISTS key"), ":0");
    // Whoever gives the watch up is as free as ever.
    assert_eq!(watches.ask("UNWATCH"), "+OK");
    assert_eq!(watches.ask("MULTI"), "+OK");
    assert_eq!(watches.ask("SET key 2"), "+QUEUED");
    watches.send(b"EXEC\r\n");
    watches.expect("*1\r\n+OK\r\n");
    assert!(poisoned.ask("EXEC").starts_with("-EXECABORT"));
    instance.end();
}

#[test]
fn who_waits_goes_on_waiting_and_what_it_sent_meanwhile_has_its_turn() {
    let instance = Instance::up(HUB);
    let (mut list, mut stream, mut other) =
        (Wire::new(&instance), Wire::new(&instance), Wire::new(&instance));
    assert!(other.ask("XADD stream * old 1").starts_with('$'));
    other.line();
    list.send(b"BLPOP queue 0\r\nINCR after\r\n");
    stream.send(b"XREAD BLOCK 0 STREAMS stream $\r\n");
    // Both are heard before the reload: they were sent before this.
    assert_eq!(other.ask("PING"), "+PONG");
    reload(&instance);
    reload(&instance);
    assert_eq!(other.ask("EXISTS after"), ":0");
    assert_eq!(other.ask("RPUSH queue a b"), ":2");
    list.expect("*2\r\n$5\r\nqueue\r\n$1\r\na\r\n:1\r\n");
    assert_eq!(other.ask("LLEN queue"), ":1", "it took one");
    other.send(b"XADD stream 9999999999999-1 new 2\r\n");
    other.expect("$15\r\n9999999999999-1\r\n");
    stream.expect(
        "*1\r\n*2\r\n$6\r\nstream\r\n*1\r\n*2\r\n$15\r\n9999999999999-1\r\n*2\r\n$3\r\nnew\r\n$1\r\n2\r\n",
    );
    list.stays_silent(Duration::from_millis(100));
    instance.end();
}

#[test]
fn replies_that_nobody_has_read_yet_are_kept_whole_and_in_order() {
    let instance = Instance::up(HUB);
    let mut reader = Wire::new(&instance);
    let value = vec![b'v'; 100_000];
    reader.put(&[b"SET", b"big", &value]);
    reader.expect("+OK\r\n");
    // More than the socket takes, and more than the hub makes ahead: the rest of the commands waits.
    for number in 0..100 {
        reader.put(&[b"GET", b"big"]);
        reader.put(&[b"ECHO", format!("{number:03}").as_bytes()]);
    }
    let mut other = Wire::new(&instance);
    assert_eq!(other.ask("PING"), "+PONG");
    reload(&instance);
    let text = String::from_utf8(value).unwrap();
    for number in 0..100 {
        reader.expect(&format!("$100000\r\n{text}\r\n$3\r\n{number:03}\r\n"));
        if number == 50 {
            reload(&instance);
        }
    }
    reader.stays_silent(Duration::from_millis(100));
    instance.end();
}

#[test]
fn what_a_client_has_set_for_itself_goes_along() {
    let instance = Instance::up(HUB);
    let mut wire = Wire::new(&instance);
    assert_eq!(wire.ask("CLIENT SETNAME me"), "+OK");
    assert_eq!(wire.ask("SELECT 5"), "+OK");
    assert_eq!(wire.ask("CONFIG SET notify-keyspace-events Kg"), "+OK");
    let identity = wire.ask("CLIENT ID");
    let mut quiet = Wire::new(&instance);
    quiet.send(b"CLIENT REPLY OFF\r\nSET quiet 1\r\n");
    let load = wire.text("SCRIPT LOAD 'return 7'").unwrap();
    let mut listener = Wire::new(&instance);
    listener.send(b"PSUBSCRIBE n* ?x\r\n");
    listener
        .expect("*3\r\n$10\r\npsubscribe\r\n$2\r\nn*\r\n:1\r\n*3\r\n$10\r\npsubscribe\r\n$2\r\n?x\r\n:2\r\n");
    reload(&instance);
    assert_eq!(wire.text("CLIENT GETNAME").as_deref(), Some("me"));
    assert_eq!(wire.ask("CLIENT ID"), identity);
    assert_eq!(wire.ask("SET here 1"), "+OK");
    assert_eq!(wire.ask("SELECT 0"), "+OK");
    assert_eq!(wire.ask("EXISTS here"), ":0");
    wire.send(b"CONFIG GET notify-keyspace-events\r\n");
    wire.expect("*2\r\n$22\r\nnotify-keyspace-events\r\n$2\r\ngK\r\n");
    assert_eq!(wire.ask(&format!("EVALSHA {load} 0")), ":7");
    assert_eq!(wire.ask("PUBLISH news hello"), ":1");
    listener.expect("*4\r\n$8\r\npmessage\r\n$2\r\nn*\r\n$4\r\nnews\r\n$5\r\nhello\r\n");
    quiet.send(b"PING\r\nCLIENT REPLY ON\r\n");
    quiet.expect("+OK\r\n");
    // The number of who comes next is nobody's else.
    let next = Wire::new(&instance).ask("CLIENT ID");
    assert_ne!(next, identity);
    instance.end();
}

/// The number of the call that comes, whose body is known.
fn call(wire: &mut Wire, body: &str) -> String {
    wire.expect("*4\r\n$4\r\nwork\r\n");
    let number = wire.line();
    wire.expect(&format!("${}\r\n{body}\r\n", body.len()));
    // Who calls.
    assert!(wire.line().starts_with('$'));
    wire.line();
    number[1..].to_owned()
}

#[test]
fn a_worker_that_waits_for_calls_gets_the_next_and_an_old_answer_is_nobodys() {
    let instance = Instance::up(HUB);
    let (mut idle, mut busy, mut caller, mut second) =
        (Wire::new(&instance), Wire::new(&instance), Wire::new(&instance), Wire::new(&instance));
    assert_eq!(busy.ask("SERVICE.SERVE work CAPACITY 9"), "+OK");
    busy.send(b"SERVICE.NEXT 0\r\n");
    caller.send(b"SERVICE.CALL work 20000 first\r\n");
    let old = call(&mut busy, "first");
    second.send(b"SERVICE.CALL work 20000 queued\r\n");
    assert_eq!(idle.ask("PING"), "+PONG");
    reload(&instance);
    assert!(caller.line().starts_with("-CALLFAILED"));
    busy.send(b"SERVICE.NEXT 0\r\n");
    let new = call(&mut busy, "queued");
    assert_ne!(old, new, "a number is never used twice");
    assert!(busy.ask(&format!("SERVICE.REPLY {old} late")).starts_with("-ERR nobody waits"));
    assert_eq!(busy.ask(&format!("SERVICE.REPLY {new} fresh")), "+OK");
    second.expect("$5\r\nfresh\r\n");
    assert_eq!(idle.ask("SERVICE.SERVE work"), "+OK");
    idle.send(b"SERVICE.NEXT 0\r\n");
    assert_eq!(caller.ask("PING"), "+PONG");
    reload(&instance);
    caller.send(b"SERVICE.CALL work 20000 again\r\n");
    call(&mut idle, "again");
    instance.end();
}

#[test]
fn a_watch_that_is_lost_stays_lost_over_further_reloads() {
    let instance = Instance::up(HUB);
    let (mut watching, mut other) = (Wire::new(&instance), Wire::new(&instance));
    assert_eq!(watching.ask("WATCH key"), "+OK");
    reload(&instance);
    assert_eq!(other.ask("SET key theirs"), "+OK");
    reload(&instance);
    assert_eq!(watching.ask("MULTI"), "+OK");
    assert_eq!(watching.ask("SET key ours"), "+QUEUED");
    assert_eq!(watching.ask("EXEC"), "*-1");
    assert_eq!(other.text("GET key").as_deref(), Some("theirs"));
    // An EXEC that is refused for its form ends the watch as well.
    assert_eq!(watching.ask("WATCH key"), "+OK");
    reload(&instance);
    assert_eq!(watching.ask("MULTI"), "+OK");
    assert!(watching.ask("EXEC now").starts_with("-EXECABORT"));
    assert_eq!(watching.ask("MULTI"), "+OK");
    assert_eq!(watching.ask("SET key ours"), "+QUEUED");
    watching.send(b"EXEC\r\n");
    watching.expect("*1\r\n+OK\r\n");
    instance.end();
}

#[test]
fn a_reply_that_is_not_wanted_is_not_wanted_from_the_next_hub_either() {
    let instance = Instance::up(HUB);
    let (mut skips, mut other) = (Wire::new(&instance), Wire::new(&instance));
    skips.send(b"CLIENT REPLY SKIP\r\nBLPOP queue 0\r\nPING\r\n");
    assert_eq!(other.ask("PING"), "+PONG");
    reload(&instance);
    assert_eq!(other.ask("RPUSH queue a"), ":1");
    skips.expect("+PONG\r\n");
    assert_eq!(other.ask("EXISTS queue"), ":0");
    instance.end();
}
