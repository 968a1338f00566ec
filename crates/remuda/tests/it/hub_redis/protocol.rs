//! Clients that say what they should not, or too much of it, or read too little.

use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use super::HUB;
use crate::harness::{Instance, PATIENCE, process};

/// A connection on which bytes are said and heard as they are.
pub(crate) struct Line<S>(S);

/// To the hub's Unix socket, where nobody is asked who it is.
pub(crate) fn local(instance: &Instance) -> Line<UnixStream> {
    let stream = UnixStream::connect(instance.runtime().join("store.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Line(stream)
}

/// Over TCP.
pub(crate) fn remote(instance: &Instance) -> Line<TcpStream> {
    let stream = TcpStream::connect(instance.address("hub-store-1")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    Line(stream)
}

impl<S: std::io::Read + std::io::Write> Line<S> {
    /// Says `text`, and hears exactly `answer`.
    #[track_caller]
    pub(crate) fn ask(&mut self, text: &str, answer: &str) {
        self.say(text.as_bytes());
        self.hear(answer);
    }

    #[track_caller]
    pub(crate) fn say(&mut self, bytes: &[u8]) {
        self.0.write_all(bytes).unwrap();
    }

    #[track_caller]
    pub(crate) fn hear(&mut self, answer: &str) {
        let mut heard = vec![0; answer.len()];
        let mut len = 0;
        while len < heard.len() {
            match self.0.read(&mut heard[len..]) {
                Ok(0) => break,
                Ok(count) => len += count,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&heard[..len])),
            }
            if heard[..len] != answer.as_bytes()[..len] {
                break;
            }
        }
        assert_eq!(String::from_utf8_lossy(&heard[..len]), answer);
    }

    /// Reads so many bytes, or as many as come; says how many.
    pub(crate) fn read(&mut self, count: usize) -> usize {
        let (mut piece, mut read) = (vec![0; 64 << 10], 0);
        while read < count {
            let most = piece.len().min(count - read);
            match self.0.read(&mut piece[..most]) {
                Ok(0) | Err(_) => break,
                Ok(more) => read += more,
            }
        }
        read
    }

    /// Some of what comes next.
    #[track_caller]
    pub(super) fn some(&mut self) -> Vec<u8> {
        let mut bytes = vec![0; 4096];
        let count = self.0.read(&mut bytes).unwrap();
        assert!(count > 0, "it closed");
        bytes.truncate(count);
        bytes
    }

    /// Hears a text of the length that stands before it.
    pub(super) fn hear_bulk(&mut self) -> String {
        let (mut head, mut byte) = (String::new(), [0]);
        while !head.ends_with("\r\n") {
            self.0.read_exact(&mut byte).unwrap();
            head.push(char::from(byte[0]));
        }
        let length: usize = head.trim_start_matches('$').trim_end().parse().unwrap();
        let mut text = vec![0; length + 2];
        self.0.read_exact(&mut text).unwrap();
        text.truncate(length);
        String::from_utf8(text).unwrap()
    }

    /// Hears that the hub has ended the connection, with nothing more to say.
    #[track_caller]
    pub(crate) fn hear_end(&mut self) {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // Bytes that the hub never read were on their way to it.
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}"),
        }
        assert_eq!(String::from_utf8_lossy(&rest), "");
    }

    /// Reads until `text` has come; what came before it is given.
    #[track_caller]
    pub(crate) fn hear_until(&mut self, text: &str) -> Vec<u8> {
        let (mut heard, mut piece) = (Vec::new(), [0; 4096]);
        while !heard.ends_with(text.as_bytes()) {
            let count = self.0.read(&mut piece).unwrap();
            assert!(count > 0, "it ended: {:?}", String::from_utf8_lossy(&heard));
            heard.extend_from_slice(&piece[..count]);
        }
        heard
    }
}

#[test]
fn a_browser_that_was_sent_here_is_cut_off_before_its_body_is_carried_out() {
    let instance = Instance::up(&HUB.replace("[store]", "[store]\nauth = \"none\""));
    for request in
        ["POST / HTTP/1.1\r\nX: y\r\n\r\nSET pwned 1\r\n", "host: 127.0.0.1\r\n\r\nSET pwned 1\r\n"]
    {
        let mut line = remote(&instance);
        line.say(request.as_bytes());
        line.hear_end();
    }
    let mut line = remote(&instance);
    line.say(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nSET pwned 1\r\n");
    line.hear("-ERR wrong number of arguments for 'get' command\r\n");
    line.hear_end();
    instance.wait_line("it speaks HTTP");
    local(&instance).ask("EXISTS pwned\r\n", ":0\r\n");
    instance.end();
}

#[test]
fn a_pattern_made_to_be_slow_ends_with_its_script_and_others_go_on() {
    let instance = Instance::up(&format!("{HUB}[store.script]\ntime = \"300ms\"\n"));
    let began = Instant::now();
    let mut line = local(&instance);
    line.say(
        b"EVAL \"return string.find(string.rep('a',100), string.rep('a?',100)..string.rep('a',100))\" 0\r\n",
    );
    let mut other = local(&instance);
    other.ask("PING\r\n", "+PONG\r\n");
    line.hear("-ERR the script ran longer than it may");
    let mut line = local(&instance);
    line.say(b"EVAL \"return string.find(string.rep('a',200000), string.rep('a?',200000)..'a')\" 0\r\n");
    line.hear("-ERR user_script:1: pattern too complex");
    other.ask("PING\r\n", "+PONG\r\n");
    assert!(began.elapsed() < Duration::from_secs(10), "{:?}", began.elapsed());
    instance.end();
}

#[test]
fn what_is_no_redis_is_answered_as_redis_does_and_ends_the_connection() {
    let instance = Instance::up(HUB);
    let long = format!("{}\r\n", "x".repeat(70_000));
    let wrong = [
        ("*1\r\n$4294967296\r\n", "invalid bulk length"),
        ("*1\r\n$18446744073709551615\r\n", "invalid bulk length"),
        ("*1\r\n$-5\r\n", "invalid bulk length"),
        ("*2147483648\r\n", "invalid multibulk length"),
        ("*x\r\n", "invalid multibulk length"),
        ("*1\r\n+PING\r\n", "expected '$', got '+'"),
        ("SET \"open\r\n", "unbalanced quotes in request"),
        (long.as_str(), "too big inline request"),
    ];
    for (text, why) in wrong {
        let mut line = local(&instance);
        line.ask("PING\r\n", "+PONG\r\n");
        line.ask(text, &format!("-ERR Protocol error: {why}\r\n"));
        line.hear_end();
    }
    let mut line = local(&instance);
    line.ask("\r\n*0\r\n*-1\r\nPING\r\n*1\r\n$4\r\nPING\r\n", "+PONG\r\n+PONG\r\n");
    line.ask("SET k \"a b\\n\"\r\nGET k\r\n", "+OK\r\n$4\r\na b\n\r\n");
    instance.end();
}

#[test]
fn noise_harms_nobody() {
    let instance = Instance::up(HUB);
    let hub = instance.pids("hub")[0];
    let mut other = local(&instance);
    let mut seed = 0x2545_F491_4F6C_DD1D_u64;
    for round in 0..300_u32 {
        let noise: Vec<u8> = (0..200)
            .map(|_| {
                seed ^= seed << 13;
                seed ^= seed >> 7;
                seed ^= seed << 17;
                let [byte, ..] = seed.to_le_bytes();
                // Every other round of what commands are made of, which comes further.
                if round % 2 == 0 { byte } else { b"*$0123456789\r\n\"GETSXREAD -"[usize::from(byte) % 26] }
            })
            .collect();
        let mut line = local(&instance);
        line.say(&noise);
        line.0.shutdown(Shutdown::Write).unwrap();
        let _ = line.0.read_to_end(&mut Vec::new());
        other.ask("PING\r\n", "+PONG\r\n");
    }
    assert_eq!(instance.pids("hub"), [hub]);
    instance.end();
}

#[test]
fn lengths_that_are_announced_take_no_memory() {
    let instance = Instance::up(HUB);
    let hub = instance.pids("hub")[0];
    let before = resident_kib(hub);
    let lines: Vec<_> = (0..100)
        .map(|_| {
            let mut line = local(&instance);
            line.say(b"*1000000\r\n$3\r\nSET\r\n$1\r\nk\r\n$67108864\r\nabc");
            line
        })
        .collect();
    local(&instance).ask("PING\r\n", "+PONG\r\n");
    let grown = resident_kib(hub).saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB for {} promises", lines.len());
    instance.end();
}

#[test]
fn subscriptions_are_counted_and_restricted_as_in_redis() {
    let instance = Instance::up(HUB);
    let mut line = local(&instance);
    let pair = |kind: &str, name: &str, count: u32| {
        format!("*3\r\n${}\r\n{kind}\r\n${}\r\n{name}\r\n:{count}\r\n", kind.len(), name.len())
    };
    line.ask("UNSUBSCRIBE\r\n", "*3\r\n$11\r\nunsubscribe\r\n$-1\r\n:0\r\n");
    line.ask("SUBSCRIBE a b\r\n", &(pair("subscribe", "a", 1) + &pair("subscribe", "b", 2)));
    line.ask("SUBSCRIBE a\r\n", &pair("subscribe", "a", 2));
    line.ask("PSUBSCRIBE p*\r\n", &pair("psubscribe", "p*", 3));
    line.ask("SSUBSCRIBE s\r\n", &pair("ssubscribe", "s", 1));
    line.ask(
        "GET k\r\n",
        "-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context\r\n",
    );
    line.ask("PING\r\nPING x\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n*2\r\n$4\r\npong\r\n$1\r\nx\r\n");
    line.ask(
        "UNSUBSCRIBE a nothere\r\n",
        &(pair("unsubscribe", "a", 2) + &pair("unsubscribe", "nothere", 2)),
    );
    line.ask("RESET\r\nGET k\r\n", "+RESET\r\n$-1\r\n");
    local(&instance).ask("PUBLISH b x\r\nPUBSUB NUMPAT\r\n", ":0\r\n:0\r\n");
    // In RESP3 a subscriber may say everything, and messages come as pushes.
    line.say(b"HELLO 3\r\n");
    line.hear_until("modules\r\n*0\r\n");
    line.ask("SUBSCRIBE a\r\n", ">3\r\n$9\r\nsubscribe\r\n$1\r\na\r\n:1\r\n");
    line.ask("GET k\r\nPING\r\n", "_\r\n+PONG\r\n");
    local(&instance).ask("PUBLISH a x\r\n", ":1\r\n");
    line.hear(">3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\nx\r\n");
    line.say(b"HELLO 2\r\n");
    line.hear_until("modules\r\n*0\r\n");
    local(&instance).ask("PUBLISH a y\r\n", ":1\r\n");
    line.hear("*3\r\n$7\r\nmessage\r\n$1\r\na\r\n$1\r\ny\r\n");
    line.ask("QUIT\r\n", "+OK\r\n");
    line.hear_end();
    instance.end();
}

#[test]
fn a_refused_command_outside_a_transaction_does_not_spoil_the_next_one() {
    let instance = Instance::up(HUB);
    let mut line = local(&instance);
    line.ask("GET\r\n", "-ERR wrong number of arguments for 'get' command\r\n");
    line.ask("MULTI\r\nSET k 1\r\nEXEC\r\n", "+OK\r\n+QUEUED\r\n*1\r\n+OK\r\n");
    line.ask(
        "MULTI\r\nGET\r\nSET k 2\r\nEXEC\r\nGET k\r\n",
        "+OK\r\n-ERR wrong number of arguments for 'get' command\r\n+QUEUED\r\n-EXECABORT Transaction discarded because of \
         previous errors.\r\n$1\r\n1\r\n",
    );
    instance.end();
}

#[test]
fn replies_can_be_done_without() {
    let instance = Instance::up(HUB);
    let mut line = local(&instance);
    line.ask("CLIENT REPLY SKIP\r\nINCR n\r\nINCR n\r\n", ":2\r\n");
    line.ask("CLIENT REPLY OFF\r\nINCR n\r\nNOSUCH\r\nCLIENT REPLY ON\r\nINCR n\r\n", "+OK\r\n:4\r\n");
    instance.end();
}

#[test]
fn clients_are_listed_as_often_as_they_ask_and_killed_when_told() {
    let instance = Instance::up(HUB);
    let (mut line, mut victim) = (local(&instance), remote(&instance));
    line.say(b"CLIENT ID\r\nCLIENT LIST\r\nCLIENT LIST\r\nPING\r\n");
    let heard = line.hear_until("+PONG\r\n");
    assert_eq!(String::from_utf8_lossy(&heard).matches("cmd=client").count(), 2);
    victim.ask("PING\r\n", "-NOAUTH Authentication required.\r\n");
    line.ask("CLIENT KILL USER nobody\r\n", "-ERR No such user 'nobody'\r\n");
    line.ask("CLIENT KILL 1.2.3.4:5\r\n", "-ERR No such client\r\n");
    let address = victim.0.local_addr().unwrap();
    line.ask(&format!("CLIENT KILL ADDR {address}\r\n"), ":1\r\n");
    victim.hear_end();
    line.ask("CLIENT KILL TYPE normal SKIPME no\r\n", ":1\r\n");
    line.hear_end();
    instance.end();
}

#[test]
fn whoever_does_not_read_waits_for_itself_alone() {
    let instance = Instance::up(HUB);
    let hub = instance.pids("hub")[0];
    let (mut greedy, mut other) = (local(&instance), local(&instance));
    other.ask(&format!("SET big {}\r\n", "v".repeat(60_000)), "+OK\r\n");
    greedy.0.set_write_timeout(Some(Duration::from_millis(200))).unwrap();
    let request = b"GET big\r\n".repeat(1000);
    let mut asked = 0;
    // Until the hub reads no more of it.
    while let Ok(count) = greedy.0.write(&request) {
        asked += count;
        assert!(asked < 64 << 20, "the hub reads on and on");
    }
    let start = Instant::now();
    for _ in 0..100 {
        other.ask("PING\r\n", "+PONG\r\n");
    }
    assert!(start.elapsed() < Duration::from_secs(5));
    let resident = resident_kib(hub);
    assert!(resident < 256 * 1024, "{resident} KiB");
    // Everything that was asked for whole is answered.
    let whole = asked / 9;
    let mut left = whole * (60_000 + "$60000\r\n\r\n".len());
    let mut piece = vec![0; 1 << 20];
    let limit = left.min(64 << 20);
    while left > whole * (60_000 + 10) - limit {
        let count = greedy.0.read(&mut piece).unwrap();
        assert!(count > 0, "{left} bytes are missing");
        left = left.saturating_sub(count);
    }
    instance.end();
}

#[test]
fn a_subscriber_that_does_not_read_is_cut_off_and_the_others_hear_all() {
    let instance = Instance::up(HUB);
    let (mut slow, mut quick, mut teller) = (local(&instance), local(&instance), local(&instance));
    for line in [&mut slow, &mut quick] {
        line.ask("SUBSCRIBE c\r\n", "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n");
    }
    let reader = std::thread::spawn(move || {
        let (mut total, mut piece) = (0, vec![0; 1 << 20]);
        let message = "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$65536\r\n\r\n".len() + 65_536;
        while total < 1000 * message {
            total += quick.0.read(&mut piece).unwrap();
        }
        (total / message, quick)
    });
    let publish = format!("*3\r\n$7\r\nPUBLISH\r\n$1\r\nc\r\n$65536\r\n{}\r\n", "m".repeat(65_536));
    for _ in 0..1000 {
        teller.say(publish.as_bytes());
        let reply = teller.hear_until("\r\n");
        assert!(reply == b":2\r\n" || reply == b":1\r\n", "{reply:?}");
    }
    let (heard, _quick) = reader.join().unwrap();
    assert_eq!(heard, 1000);
    teller.ask("PUBSUB NUMSUB c\r\n", "*2\r\n$1\r\nc\r\n:1\r\n");
    let ended = slow.0.read_to_end(&mut Vec::new());
    assert!(ended.is_ok() || ended.is_err_and(|error| error.kind() == ErrorKind::ConnectionReset));
    instance.end();
}

#[test]
fn a_thousand_clients_are_served_at_once() {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let raised = rustix::process::Rlimit { current: limit.maximum, ..limit };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, raised).unwrap();
    let instance = Instance::up(HUB);
    let mut lines: Vec<_> = (0..1000).map(|_| local(&instance)).collect();
    for line in &mut lines {
        line.say(b"INCR n\r\nSUBSCRIBE all\r\n");
    }
    for line in &mut lines {
        line.hear_until("\r\nall\r\n:1\r\n");
    }
    let mut teller = local(&instance);
    teller.ask("GET n\r\nPUBLISH all x\r\n", "$4\r\n1000\r\n:1000\r\n");
    for line in &mut lines {
        line.hear("*3\r\n$7\r\nmessage\r\n$3\r\nall\r\n$1\r\nx\r\n");
    }
    drop(lines);
    let deadline = Instant::now() + PATIENCE;
    loop {
        teller.say(b"INFO clients\r\n");
        let heard = teller.hear_until("\r\n\r\n");
        if String::from_utf8_lossy(&heard).contains("connected_clients:1\r\n") {
            break;
        }
        assert!(Instant::now() < deadline);
    }
    instance.end();
}

fn resident_kib(pid: u32) -> u64 {
    process::status(pid, "VmRSS").trim_end_matches(" kB").parse().unwrap()
}

#[test]
fn who_wants_no_replies_gets_none_that_come_later_either() {
    let instance = Instance::up(HUB);
    let mut line = local(&instance);
    line.say(b"CLIENT REPLY OFF\r\nCLIENT LIST\r\nCLIENT INFO\r\nHUB.METRICS\r\nBLPOP none 0.05\r\n");
    line.ask("CLIENT REPLY ON\r\nPING\r\n", "+OK\r\n+PONG\r\n");
    line.ask("CLIENT REPLY SKIP\r\nCLIENT LIST\r\nPING\r\n", "+PONG\r\n");
    line.ask("CLIENT REPLY SKIP\r\nBLPOP none 0.05\r\nPING\r\n", "+PONG\r\n");
    instance.end();
}

#[test]
fn who_has_ended_itself_does_nothing_more() {
    let instance = Instance::up(HUB);
    let mut line = local(&instance);
    line.ask("CLIENT KILL TYPE normal SKIPME no\r\nSET after 1\r\n", ":1\r\n");
    line.hear_end();
    local(&instance).ask("EXISTS after\r\n", ":0\r\n");
    instance.end();
}
