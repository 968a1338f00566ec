//! The hub from the command line and through the toolkit's client: keys, messages, calls, changes, figures.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Write as _};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use remuda_model::hub::HubMetrics;
use remuda_model::view::ServicePhase;
use remuda_toolkit::client::{Address, ClientError, Heard, Hub, Seen};
use rustix::process::Signal;
use serde_json::Value;

use crate::harness::{Instance, PATIENCE, process, until};

const HUB: &str = r#"
[bus]
replay = [{ prefix = "kept.", messages = 100, bytes = "1MiB" }]
[store]
fsync = "always"
[hub]
state = "state"
"#;

fn hub(instance: &Instance) -> Hub {
    Hub::new(Address::unix(instance.runtime().join("store.sock")))
}

/// Runs `remuda` with `input` as its standard input.
fn fed(instance: &Instance, arguments: &[&str], input: &[u8]) -> Output {
    let path = instance.dir().join("input");
    std::fs::write(&path, input).unwrap();
    instance.command(arguments).stdin(Stdio::from(File::open(path).unwrap())).output().unwrap()
}

/// Waits until every thread of a process stands still: the first to see the signal stops the others.
fn wait_stopped(pid: u32) {
    let stands = |thread: std::fs::DirEntry| {
        let text = std::fs::read_to_string(thread.path().join("stat")).unwrap();
        text.rsplit_once(") ").unwrap().1.starts_with('T')
    };
    until("every thread to stand still", || {
        std::fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten().all(stands)
    });
}

#[test]
fn keys_are_set_read_listed_and_deleted_as_they_are() {
    let instance = Instance::up(HUB);
    let say = |arguments: &[&str]| instance.remuda(arguments);
    assert!(say(&["get", "a"]).exits(1).err.contains("there is no key \"a\""));
    say(&["set", "a", "hello"]).done();
    assert_eq!(say(&["get", "a"]).done().out, "hello", "not a byte more");
    assert!(say(&["set", "a", "x", "--ttl", "0s"]).exits(2).err.contains("1ms is the least"));
    assert!(say(&["set", "a", "x", "--if-absent"]).exits(1).err.contains("stays as it is"));
    assert!(say(&["set", "b", "x", "--if-present"]).exits(1).err.contains("nothing was set"));
    assert_eq!(say(&["set", "a", "-1", "--if-present", "--json"]).done().json::<Value>()["set"], true);

    let bytes = [0xff, 0, b'\n', 0x1b, b'['];
    assert!(fed(&instance, &["set", "raw", "-"], &bytes).status.success());
    assert_eq!(fed(&instance, &["get", "raw"], b"").stdout, bytes);
    let document: Value = say(&["get", "raw", "--json"]).done().json();
    assert_eq!(document, serde_json::json!({"key": "raw", "value_base64": "/wAKG1s="}));
    assert_eq!(say(&["get", "none", "--json"]).exits(1).json::<Value>()["value"], Value::Null);

    say(&["set", "a", "elsewhere", "--database", "3"]).done();
    assert_eq!(say(&["keys", "--database", "3"]).done().out, "a\n");
    let none = say(&["get", "a", "--database", "16"]).exits(2).err;
    assert!(none.contains("has no database 16: there are 16, 0 to 15"), "{none}");
    assert_eq!(say(&["keys"]).done().out, "a\nraw\n");
    let cut = say(&["keys", "*", "--limit", "1"]).done();
    assert!(cut.out.lines().count() == 1 && cut.err.contains("--limit"), "{cut:?}");
    assert_eq!(say(&["del", "a", "nope", "--json"]).done().json::<Value>()["deleted"], 1);
    assert_eq!(say(&["del", "nope"]).exits(1).out, "0 of 1 deleted\n");

    hub(&instance).store().command(&[b"HSET", b"h", b"f", b"v"]).unwrap();
    assert!(say(&["get", "h"]).exits(4).err.contains("a hash"));
    instance.end();
}

#[test]
fn without_a_hub_the_commands_say_what_to_write() {
    let instance = Instance::up("[service.plain]\ncommand = \"sleep 1000\"\n");
    for command in [["get", "a"], ["pub", "a"], ["sub", "a"], ["watch", "a"], ["keys", "a"], ["del", "a"]] {
        let said = instance.remuda(&command).exits(4);
        assert!(said.err.contains("has no hub") && said.err.contains("[bus]"), "{said:?}");
    }
    assert!(!instance.remuda(&["metrics"]).done().out.contains("remuda_hub"));
    assert!(instance.remuda(&["top", "--once", "--every", "100ms"]).done().out.contains("plain"));
    instance.end();
}

#[test]
fn messages_are_published_heard_and_replayed() {
    let instance = Instance::up(HUB);
    let mut subscription = hub(&instance).subscribe([b"".as_slice()]);
    subscription.connect().unwrap();
    // The confirmation is behind the subscription, and has come when something else has.
    let count = instance.remuda(&["pub", "kept.a", "one", "--count"]).done().out;
    let Some(Heard::Message(first)) = subscription.next(PATIENCE).unwrap() else { panic!("no message") };
    assert_eq!(
        (first.topic.as_slice(), first.payload.as_slice(), count.as_str()),
        (b"kept.a".as_slice(), b"one".as_slice(), "1\n")
    );
    assert!(fed(&instance, &["pub", "kept.b", "-"], b"two\0").status.success());
    assert_eq!(instance.remuda(&["pub", "kept.c", "--json"]).done().json::<Value>()["subscribers"], 1);

    let after = first.sequence.to_string();
    let said = instance.remuda(&["sub", "kept.", "--after", &after, "--limit", "2", "--json"]).done();
    let documents: Vec<Value> = said.json_lines();
    assert_eq!(documents[0]["topic"], "kept.b");
    assert_eq!(documents[0]["payload"], "two\0");
    assert_eq!((&documents[1]["topic"], &documents[1]["payload"]), (&"kept.c".into(), &"".into()));
    let before = (first.sequence - 1).to_string();
    let raw = fed(&instance, &["sub", "kept.", "--after", &before, "--limit", "2"], b"");
    assert_eq!(raw.stdout, b"kept.a one\nkept.b two\0\n");
    let refused = instance.remuda(&["pub", "store.a", "forged"]).exits(4);
    assert!(refused.err.contains("NOPERM"), "{refused:?}");
    instance.end();
}

#[test]
fn a_watch_tells_what_is_there_then_every_change_the_end_of_a_ttl_included() {
    let instance = Instance::up(HUB);
    let mut store = hub(&instance).store();
    store.set(b"cart:1", b"book").unwrap();
    store.set(b"other", b"x").unwrap();
    let mut watch = hub(&instance).watch(b"cart:");
    let mut next = || watch.next(PATIENCE).unwrap().expect("something is seen");
    assert!(
        matches!(next(), Seen::Key { key, value } if key == b"cart:1" && value == Some(b"book".to_vec()))
    );
    assert!(matches!(next(), Seen::Complete(2)));
    store.set(b"cart:1", b"pen").unwrap();
    let Seen::Change(change) = next() else { panic!("no change") };
    assert_eq!((change.revision, change.previous, change.event.as_str()), (3, Some(1), "set"));
    assert_eq!(change.value, Some(b"pen".to_vec()));
    instance.remuda(&["set", "cart:2", "soon gone", "--ttl", "50ms"]).done();
    let events: Vec<String> = std::iter::from_fn(|| match next() {
        Seen::Change(change) if change.event == "expired" => None,
        Seen::Change(change) => Some(change.event),
        other => panic!("{other:?}"),
    })
    .collect();
    assert!(events.contains(&"set".to_owned()), "{events:?}");
    store.command(&[b"FLUSHDB"]).unwrap();
    assert!(matches!(next(), Seen::Change(change) if change.key.is_none() && change.event == "flushdb"));

    let said = instance.remuda(&["watch", "cart:", "--from", "1", "--limit", "2", "--json"]).done();
    let documents: Vec<Value> = said.json_lines();
    assert_eq!((&documents[0]["key"], &documents[0]["revision"]), (&"cart:1".into(), &3.into()));
    assert_eq!(documents[1]["key"], "cart:2");
    instance.end();
}

#[test]
fn a_watch_goes_on_over_a_reload_where_it_was() {
    for durable in ["", "durable = false\n"] {
        let instance = Instance::up(&HUB.replace("[store]\n", &format!("[store]\n{durable}")));
        let mut store = hub(&instance).store();
        store.set(b"cart:1", b"book").unwrap();
        let mut watch = hub(&instance).watch(b"cart:");
        let mut next = || watch.next(PATIENCE).unwrap().expect("something is seen");
        assert!(matches!(next(), Seen::Key { .. }) && matches!(next(), Seen::Complete(1)));
        instance.remuda(&["reload", "hub"]).done();
        store.set(b"cart:2", b"pen").unwrap();
        let mut change = None;
        while change.is_none() {
            match next() {
                Seen::Change(seen) => change = Some(seen),
                Seen::Away(_) | Seen::Back => {}
                other => panic!("{durable}{other:?}"),
            }
        }
        assert_eq!(change.unwrap().key, Some(b"cart:2".to_vec()));
        // Who was away over two reloads finds what happened before them.
        instance.remuda(&["reload", "hub"]).done();
        let said = instance.remuda(&["watch", "cart:", "--from", "1", "--limit", "1", "--json"]).done();
        assert_eq!(said.json_lines::<Value>()[0]["key"], "cart:2", "{said:?}");
        instance.end();
    }
}

#[test]
fn a_hub_that_is_stopped_is_not_waited_for() {
    let instance = Instance::up(HUB);
    instance.remuda(&["stop", "hub"]).done();
    let began = Instant::now();
    for command in [&["get", "a"][..], &["pub", "a", "b"], &["sub", "a"], &["watch", "a"], &["keys"]] {
        let said = instance.remuda(command).exits(1);
        assert!(said.err.contains("the hub is stopped") && said.err.contains("remuda start hub"), "{said:?}");
    }
    assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
    instance.end();
}

#[test]
fn a_watch_misses_nothing_of_a_hub_that_is_killed_under_it() {
    let instance = Instance::up(HUB);
    let watched = hub(&instance);
    let (ready, is_ready) = std::sync::mpsc::channel();
    let watcher = std::thread::spawn(move || {
        let (mut watch, mut values, mut aways) = (watched.watch(b"k"), BTreeMap::new(), 0);
        let deadline = Instant::now() + PATIENCE;
        while Instant::now() < deadline {
            let Some(seen) = watch.next(Duration::from_secs(1)).unwrap() else { continue };
            // Keys that are being read anew are all there only when that is complete.
            let is_whole = matches!(seen, Seen::Complete(_) | Seen::Change(_));
            match seen {
                Seen::Complete(_) => drop(ready.send(())),
                Seen::Key { key, value } => drop(values.insert(key, value)),
                Seen::Change(change) => drop(change.key.map(|key| values.insert(key, change.value))),
                // What does not come again would be gone.
                Seen::Forgotten => values.clear(),
                Seen::Away(_) => aways += 1,
                Seen::Back => {}
            }
            if is_whole && values.remove(b"kend".as_slice()).is_some() {
                return (values, aways);
            }
        }
        panic!("the end was not seen; {} keys were", values.len());
    });
    is_ready.recv_timeout(PATIENCE).unwrap();
    let mut store = hub(&instance).store();
    let mut acknowledged = BTreeMap::new();
    let deadline = Instant::now() + PATIENCE;
    for number in 0..600 {
        if number % 200 == 100 {
            process::signal(instance.pids("hub")[0], Signal::KILL);
        }
        let (key, value) = (format!("k{}", number % 50).into_bytes(), number.to_string().into_bytes());
        while let Err(error) = store.set(&key, &value) {
            assert!(error.is_passing() && Instant::now() < deadline, "{error}");
            std::thread::yield_now();
        }
        acknowledged.insert(key, Some(value));
    }
    store.set(b"kend", b"").unwrap();
    let (seen, aways) = watcher.join().unwrap();
    assert_eq!(seen, acknowledged);
    assert!(aways >= 1, "the hub was killed and nobody noticed");
    instance.end();
}

#[test]
fn a_subscription_comes_back_after_the_hub_was_killed_and_says_so() {
    let instance = Instance::up(HUB);
    let mut subscription = hub(&instance).subscribe([b"n.".as_slice()]);
    subscription.connect().unwrap();
    assert!(subscription.next(Duration::from_millis(50)).unwrap().is_none());
    process::signal(instance.pids("hub")[0], Signal::KILL);
    let mut seen = Vec::new();
    let deadline = Instant::now() + PATIENCE;
    while !matches!(seen.last(), Some(Heard::Message(_))) {
        assert!(Instant::now() < deadline, "{seen:?}");
        seen.extend(subscription.next(Duration::from_millis(100)).unwrap());
        if seen.iter().any(|heard| matches!(heard, Heard::Back)) {
            // It may be confirmed only now; a message before that is in no ring.
            let _ = hub(&instance).store().publish(b"n.a", b"again");
        }
    }
    assert!(
        matches!(seen[..], [Heard::Away(_), Heard::Back, Heard::Missed(_), Heard::Message(_)]),
        "{seen:?}"
    );
    instance.end();
}

#[test]
fn workers_call_each_other_and_a_failure_says_why() {
    let instance = Instance::up(HUB);
    let served = hub(&instance);
    let (ready, is_ready) = std::sync::mpsc::channel();
    let server = std::thread::spawn(move || {
        let mut server = served.serve(b"double", 1);
        server.connect().unwrap();
        ready.send(()).unwrap();
        let call = server.next(PATIENCE).unwrap().unwrap();
        assert_eq!((call.service.as_slice(), call.body.as_slice()), (b"double".as_slice(), b"21".as_slice()));
        assert!(server.answer(&call, b"42").unwrap());
        let call = server.next(PATIENCE).unwrap().unwrap();
        assert!(server.fail(&call, "no number").unwrap());
        let call = server.next(PATIENCE).unwrap().unwrap();
        // It goes without an answer.
        drop((server, call));
    });
    is_ready.recv_timeout(PATIENCE).unwrap();
    let mut caller = hub(&instance).caller();
    assert_eq!(caller.call(b"double", PATIENCE, b"21").unwrap(), b"42");
    let failure = caller.call(b"double", PATIENCE, b"x").unwrap_err();
    assert!(failure.code() == Some("CALLFAILED") && failure.to_string().contains("no number"), "{failure}");
    let began = Instant::now();
    let failure = caller.call(b"double", PATIENCE, b"x").unwrap_err();
    assert!(matches!(failure, ClientError::Said(_)) && began.elapsed() < PATIENCE / 2, "{failure}");
    server.join().unwrap();
    instance.end();
}

#[test]
fn a_call_that_comes_when_its_worker_has_stopped_waiting_is_kept_for_it() {
    let instance = Instance::up(HUB);
    let mut server = hub(&instance).serve(b"late", 1);
    assert!(server.next(Duration::from_millis(20)).unwrap().is_none());
    let mut caller = hub(&instance).caller();
    let call = std::thread::spawn(move || caller.call(b"late", PATIENCE, b"x"));
    let mut store = hub(&instance).store();
    let deadline = Instant::now() + PATIENCE;
    loop {
        let remuda_toolkit::client::Value::Bulk(text) = store.command(&[b"HUB.METRICS"]).unwrap() else {
            panic!()
        };
        let metrics: HubMetrics = serde_json::from_slice(&text).unwrap();
        if metrics.services.iter().any(|service| service.waiting == 1) {
            break;
        }
        assert!(Instant::now() < deadline, "{metrics:?}");
    }
    let waiting = server.next(PATIENCE).unwrap().unwrap();
    assert!(server.answer(&waiting, b"y").unwrap());
    assert_eq!(call.join().unwrap().unwrap(), b"y");
    instance.end();
}

#[test]
fn monitors_see_the_hub_and_are_not_held_by_one_that_hangs() {
    let instance = Instance::up(HUB);
    let mut store = hub(&instance).store();
    for number in 0..10_u8 {
        store.set(&[b'k', number], b"v").unwrap();
        store.publish(b"kept.x", b"y").unwrap();
    }
    let figure = |name: &str| {
        let text = instance.remuda(&["metrics"]).done().out;
        let line = text.lines().find_map(|line| line.strip_prefix(&format!("{name} ")).map(str::to_owned));
        line.unwrap_or_else(|| panic!("no {name} in {text}")).parse::<u64>().unwrap()
    };
    assert_eq!(figure("remuda_hub_up"), 1);
    assert_eq!(figure("remuda_hub_store_keys"), 10);
    assert_eq!(figure("remuda_hub_bus_published_messages_total"), 10);
    assert_eq!(figure("remuda_hub_bus_unheard_messages_total"), 10);
    assert_eq!(figure("remuda_hub_bus_ring_messages"), 10);
    assert!(figure("remuda_hub_commands_total") > 20);

    let top: Value = instance.remuda(&["top", "--json", "--every", "100ms"]).done().json();
    assert_eq!(top["hub"]["store"]["keys"], 10);
    assert!(top["rates"]["hub"]["commands"].as_f64().unwrap() > 0.0);
    let shown = instance.remuda(&["top", "--once", "--every", "100ms"]).done().out;
    assert!(shown.contains("10 keys") && !shown.contains('\x1b'), "{shown}");

    let pid = instance.pids("hub")[0];
    process::signal(pid, Signal::STOP);
    wait_stopped(pid);
    let began = Instant::now();
    assert_eq!(figure("remuda_hub_up"), 0);
    assert!(instance.remuda(&["top", "--once", "--every", "100ms"]).done().out.contains("does not answer"));
    assert!(began.elapsed() < PATIENCE / 2);
    process::signal(pid, Signal::CONT);
    instance.wait_phase("hub", ServicePhase::Running);
    instance.end();
}

#[test]
fn completions_know_the_commands() {
    let instance = Instance::up("[service.plain]\ncommand = \"sleep 1000\"\n");
    let script = instance.remuda(&["completions", "bash"]).done().out;
    for option in ["--if-absent", "--count", "--after", "--every", "--from", "--database"] {
        assert!(script.contains(option), "{option}");
    }
    instance.end();
}

/// `remuda top` on a terminal of its own: what it drew until it had drawn `wanted`, and what after `q`.
fn on_a_terminal(instance: &Instance, wanted: &str) -> (String, String) {
    let terminal =
        rustix::pty::openpt(rustix::pty::OpenptFlags::RDWR | rustix::pty::OpenptFlags::NOCTTY).unwrap();
    rustix::pty::grantpt(&terminal).unwrap();
    rustix::pty::unlockpt(&terminal).unwrap();
    let name = rustix::pty::ptsname(&terminal, Vec::new()).unwrap();
    let end = || File::options().read(true).write(true).open(name.to_str().unwrap()).unwrap();
    let mut child = instance
        .command(&["top", "--every", "100ms"])
        .stdin(Stdio::from(end()))
        .stdout(Stdio::from(end()))
        .spawn()
        .unwrap();
    // The child's ends are the only ones: when it ends, so does what is read.
    let (sender, drawn) = std::sync::mpsc::channel();
    let mut screen = File::from(terminal);
    let mut keys = screen.try_clone().unwrap();
    let reader = std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(count) = screen.read(&mut buffer) {
            let text = String::from_utf8_lossy(&buffer[..count]).into_owned();
            if count == 0 || sender.send(text).is_err() {
                break;
            }
        }
    });
    let mut before = String::new();
    while !before.contains(wanted) {
        match drawn.recv_timeout(PATIENCE) {
            Ok(text) => before.push_str(&text),
            Err(error) => {
                child.kill().unwrap();
                panic!("{error}: {before}");
            }
        }
    }
    keys.write_all(b"q").unwrap();
    assert!(process::wait_end(child.id(), PATIENCE), "it does not leave");
    assert_eq!(child.wait().unwrap().code(), Some(0));
    reader.join().unwrap();
    (before, drawn.try_iter().collect())
}

#[test]
fn top_draws_on_a_screen_of_its_own_and_leaves_the_terminal_as_it_was() {
    let instance = Instance::up(HUB);
    let (before, after) = on_a_terminal(&instance, "keys");
    assert!(before.contains("\x1b[?1049h") && before.contains("q leaves"), "{before:?}");
    assert!(after.ends_with("\x1b[?7h\x1b[?25h\x1b[?1049l"), "{after:?}");
    instance.end();
}
