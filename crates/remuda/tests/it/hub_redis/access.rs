//! Who may do what: tokens, and rules for a service.

use std::net::TcpStream;

use super::protocol::{Line, local, remote};
use super::{HUB, url};
use crate::harness::Instance;

/// The token in the URL that workers of `service` find.
pub(crate) fn token(instance: &Instance, service: &str) -> String {
    let url = url(instance, service);
    let (_, rest) = url.split_once("://").unwrap();
    rest.split_once('@').unwrap().0.split_once(':').unwrap().1.to_owned()
}

const WRONG: &str = "-WRONGPASS invalid username-password pair or user is disabled.\r\n";
const WHO: &str = "-NOAUTH Authentication required.\r\n";

#[test]
fn over_tcp_a_token_is_asked_for_and_believed() {
    let instance = Instance::up(&format!("{HUB}[service.other]\ncommand = \"sleep 1000\"\n"));
    let (web, other) = (token(&instance, "web"), token(&instance, "other"));
    assert_ne!(web, other);
    let mut line = remote(&instance);
    line.ask("PING\r\nGET k\r\nSUBSCRIBE a\r\nMULTI\r\nEVAL \"return 1\" 0\r\n", &WHO.repeat(5));
    line.ask("NOSUCH\r\n", "-ERR unknown command 'NOSUCH', with args beginning with: \r\n");
    line.ask(&format!("AUTH web {other}\r\nAUTH nobody {web}\r\nAUTH web x\r\nAUTH x\r\n"), &WRONG.repeat(4));
    line.ask(&format!("HELLO 3 AUTH web {other}\r\nGET k\r\n"), &format!("{WRONG}{WHO}"));
    line.ask(&format!("AUTH web {web}\r\nACL WHOAMI\r\nGET k\r\n"), "+OK\r\n$3\r\nweb\r\n$-1\r\n");
    // A wrong one leaves who it was.
    line.ask("AUTH web x\r\nACL WHOAMI\r\n", &format!("{WRONG}$3\r\nweb\r\n"));
    line.ask(&format!("AUTH {other}\r\nACL WHOAMI\r\n"), "+OK\r\n$5\r\nother\r\n");
    line.ask("RESET\r\nPING\r\n", &format!("+RESET\r\n{WHO}"));
    local(&instance).ask("ACL WHOAMI\r\n", "$7\r\ndefault\r\n");
    instance.end();
}

#[test]
fn whoever_has_not_said_who_it_is_may_not_send_much() {
    let instance = Instance::up(HUB);
    let mut line = remote(&instance);
    line.ask("*100\r\n", "-ERR Protocol error: unauthenticated multibulk length\r\n");
    line.hear_end();
    let mut line = remote(&instance);
    line.ask("*1\r\n$1000000\r\n", "-ERR Protocol error: unauthenticated bulk length\r\n");
    line.hear_end();
    instance.end();
}

#[test]
fn without_tokens_anybody_on_this_machine_is_served_but_hears_nothing_of_keys() {
    let instance = Instance::up(&HUB.replace("[store]", "[store]\nauth = \"none\""));
    let mut line = remote(&instance);
    line.ask("SET k 1\r\nACL WHOAMI\r\n", "+OK\r\n$7\r\ndefault\r\n");
    line.ask("AUTH web wrong\r\nGET k\r\n", &format!("{WRONG}$1\r\n1\r\n"));
    let hears = "*3\r\n$10\r\npsubscribe\r\n$6\r\n__key*\r\n:1\r\n";
    line.ask("PSUBSCRIBE __key*\r\n", hears);
    let mut known = remote(&instance);
    known.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    known.ask("PSUBSCRIBE __key*\r\n", hears);
    local(&instance).ask("DEL k\r\n", ":1\r\n");
    known.hear("*4\r\n$8\r\npmessage\r\n$6\r\n__key*\r\n$16\r\n__keyspace@0__:k\r\n$3\r\ndel\r\n");
    line.ask("PING\r\n", "*2\r\n$4\r\npong\r\n$0\r\n\r\n");
    instance.end();
}

/// What a service with rules is told when it does what it may not.
fn ruled() -> Instance {
    Instance::up(&format!(
        "{HUB}[access.web]\nkeys = [\"web:\"]\nread_keys = [\"shared:\"]\ntopics = [\"web.\"]\nread_topics = [\"news.\"]\n"
    ))
}

/// The user `web`, whose keys are `web:` and to read `shared:`, gets at none beside them, whatever holds the store.
pub(crate) fn is_held_to_its_keys(line: &mut Line<TcpStream>) {
    let of_others = [
        "GET secret",
        "SET shared:a 2",
        "MGET web:a secret",
        "RENAME web:a stolen",
        "WATCH secret",
        "SUNIONSTORE web:x secret",
        "BLPOP web:q secret 1",
        "OBJECT ENCODING secret",
        "XREAD STREAMS secret 0",
    ];
    for command in of_others {
        line.ask(&format!("{command}\r\n"), "-NOPERM No permissions to access a key\r\n");
    }
    for command in ["KEYS *", "SCAN 0", "FLUSHALL", "DBSIZE", "SWAPDB 0 1"] {
        let name = command.split(' ').next().unwrap().to_ascii_lowercase();
        let answer = format!("-NOPERM User web has no permissions to run the '{name}' command\r\n");
        line.ask(&format!("{command}\r\n"), &answer);
    }
}

#[test]
fn keys_and_topics_of_a_service_are_its_prefixes() {
    let instance = ruled();
    local(&instance).ask("MSET shared:a 1 secret 2 web:s 3\r\n", "+OK\r\n");
    let mut line = remote(&instance);
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    line.ask("SET web:a 1\r\nGET web:a\r\nGET shared:a\r\n", "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n");
    let key = "-NOPERM No permissions to access a key\r\n";
    is_held_to_its_keys(&mut line);
    line.ask("CHANGES 0 secret\r\n", key);
    for command in ["randomkey", "bgrewriteaof"] {
        let answer = format!("-NOPERM User web has no permissions to run the '{command}' command\r\n");
        line.ask(&format!("{command}\r\n"), &answer);
    }
    line.ask("CLIENT LIST\r\n", "-NOPERM User web has no permissions to run the 'client|list' command\r\n");
    line.ask(
        "CONFIG SET notify-keyspace-events KEA\r\n",
        "-NOPERM User web has no permissions to run the 'config' command\r\n",
    );
    line.ask(
        "SORT web:a BY secret*\r\n",
        "-ERR BY and GET options of SORT are denied to a user whose keys are limited\r\n",
    );
    line.say(b"EVAL \"return redis.call('GET', KEYS[1])\" 1 secret\r\n");
    line.hear("-NOPERM No permissions to access a key");
    line.say(b"PING\r\n");
    let mut fresh = remote(&instance);
    fresh.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    fresh.ask(
        "MULTI\r\nSET web:a 2\r\nGET secret\r\nEXEC\r\n",
        &format!("+OK\r\n+QUEUED\r\n{key}-EXECABORT Transaction discarded because of previous errors.\r\n"),
    );
    instance.end();
}

#[test]
fn what_others_subscribe_to_and_serve_is_not_told() {
    let instance = ruled();
    let mut all = local(&instance);
    all.ask("SUBSCRIBE secret.a\r\n", "*3\r\n$9\r\nsubscribe\r\n$8\r\nsecret.a\r\n:1\r\n");
    all.ask("SUBSCRIBE news.a\r\n", "*3\r\n$9\r\nsubscribe\r\n$6\r\nnews.a\r\n:2\r\n");
    all.ask("PSUBSCRIBE secret.*\r\n", "*3\r\n$10\r\npsubscribe\r\n$8\r\nsecret.*\r\n:3\r\n");
    let mut line = remote(&instance);
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    line.ask("PUBSUB CHANNELS\r\n", "*1\r\n$6\r\nnews.a\r\n");
    line.ask("PUBSUB CHANNELS secret*\r\n", "*0\r\n");
    line.ask("PUBSUB NUMSUB news.a secret.a\r\n", "*4\r\n$6\r\nnews.a\r\n:1\r\n$8\r\nsecret.a\r\n:0\r\n");
    line.ask("PUBSUB NUMPAT\r\n", ":0\r\n");
    let mut other = local(&instance);
    other.ask("PUBSUB NUMPAT\r\nSERVICE.SERVE secrets\r\n", ":1\r\n+OK\r\n");
    let figures = |line: &mut Line<TcpStream>| {
        line.say(b"HUB.METRICS\r\n");
        serde_json::from_str::<serde_json::Value>(&line.hear_bulk()).unwrap()
    };
    let seen = figures(&mut line);
    assert_eq!((&seen["services"], &seen["worst_members"]), (&serde_json::json!([]), &serde_json::json!([])));
    assert_eq!(seen["connections"]["redis_clients"], 3);
    instance.end();
}

#[test]
fn changes_in_other_databases_are_heard_by_those_who_may_read_the_keys() {
    let instance = ruled();
    let mut line = remote(&instance);
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    line.ask("PSUBSCRIBE store.1:web:*\r\n", "*3\r\n$10\r\npsubscribe\r\n$13\r\nstore.1:web:*\r\n:1\r\n");
    let mut all = local(&instance);
    all.ask("PSUBSCRIBE store.0:*\r\n", "*3\r\n$10\r\npsubscribe\r\n$9\r\nstore.0:*\r\n:1\r\n");
    local(&instance).ask("SET 1:web:a x\r\nSELECT 1\r\nSET web:a y\r\n", "+OK\r\n+OK\r\n+OK\r\n");
    let told = |key: &str, revision: u64, value: &str| {
        format!(
            "{{\"key\":\"{key}\",\"event\":\"set\",\"revision\":{revision},\"previous\":null,\"value\":\"{value}\"}}"
        )
    };
    let payload = told("web:a", 2, "y");
    line.hear(&format!(
        "*4\r\n$8\r\npmessage\r\n$13\r\nstore.1:web:*\r\n$13\r\nstore.1:web:a\r\n${}\r\n{payload}\r\n",
        payload.len()
    ));
    // A key of database 0 that looks like one of another has a topic that does not.
    let payload = told("1:web:a", 1, "x");
    all.hear(&format!(
        "*4\r\n$8\r\npmessage\r\n$9\r\nstore.0:*\r\n$15\r\nstore.0:1:web:a\r\n${}\r\n{payload}\r\n",
        payload.len()
    ));
    instance.end();
}

#[test]
fn what_tells_of_keys_is_heard_by_those_who_may_read_them() {
    let instance = ruled();
    let mut line = remote(&instance);
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    for (command, topic) in [
        ("PUBLISH news.a x", "news.a"),
        ("PUBLISH other x", "other"),
        ("SUBSCRIBE web.a other", "other"),
        ("PSUBSCRIBE *", "*"),
        ("PSUBSCRIBE store.*", "store.*"),
        ("PSUBSCRIBE __key*", "__key*"),
        ("PSUBSCRIBE __keyevent@0__:*", "__keyevent@0__:*"),
        ("SUBSCRIBE store.secret", "store.secret"),
        ("SUBSCRIBE store.1:secret", "store.1:secret"),
        ("SUBSCRIBE store.0:1:web:a", "store.0:1:web:a"),
        ("PSUBSCRIBE store.1*", "store.1*"),
        ("SUBSCRIBE __keyspace@0__:secret", "__keyspace@0__:secret"),
    ] {
        let answer = format!(
            "-NOPERM No permissions to access the '{topic}' channel used as an argument to the command\r\n"
        );
        line.ask(&format!("{command}\r\n"), &answer);
    }
    line.ask("BUS.SUBSCRIBE store.\r\n", "-NOPERM this user may not hear topics with this prefix\r\n");
    line.ask("PUBLISH web.a x\r\n", ":0\r\n");
    line.ask("SUBSCRIBE news.a\r\n", "*3\r\n$9\r\nsubscribe\r\n$6\r\nnews.a\r\n:1\r\n");
    line.ask("PSUBSCRIBE store.web:*\r\n", "*3\r\n$10\r\npsubscribe\r\n$11\r\nstore.web:*\r\n:2\r\n");
    local(&instance).ask("SET secret 1\r\nSET web:a 7\r\n", "+OK\r\n+OK\r\n");
    let payload = "{\"key\":\"web:a\",\"event\":\"set\",\"revision\":2,\"previous\":null,\"value\":\"7\"}";
    let len = payload.len();
    line.hear(&format!(
        "*4\r\n$8\r\npmessage\r\n$11\r\nstore.web:*\r\n$11\r\nstore.web:a\r\n${len}\r\n{payload}\r\n"
    ));
    instance.end();
}

#[test]
fn a_service_with_limited_keys_gets_at_no_other_by_options_or_by_what_rings_keep() {
    let instance = Instance::up(&format!(
        "{HUB}[access.web]\nkeys = [\"web:\"]\n[[bus.replay]]\nprefix = \"\"\n[[bus.replay]]\nprefix = \"store.\"\n"
    ));
    let mut own = local(&instance);
    own.ask(
        "RPUSH web:l a b\r\nPSUBSCRIBE store.*\r\n",
        ":2\r\n*3\r\n$10\r\npsubscribe\r\n$7\r\nstore.*\r\n:1\r\n",
    );
    local(&instance).ask("SET secret s3\r\nPUBLISH news hello\r\n", "+OK\r\n:0\r\n");
    let mut line = remote(&instance);
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    let key = "-NOPERM No permissions to access a key\r\n";
    line.ask(
        "SORT web:l ALPHA STORE secret GET store\r\nSORT web:none STORE secret GET store\r\n",
        &key.repeat(2),
    );
    local(&instance).ask("GET secret\r\n", "$2\r\ns3\r\n");
    line.ask("BUS.REPLAY store. 1\r\n", "-NOPERM this user may not hear topics with this prefix\r\n");
    // The number of the message, and how many are lost, depend on the clock.
    line.say(b"BUS.REPLAY \"\" 1\r\n");
    line.hear("*2\r\n:");
    let mut rest = Vec::new();
    while !rest.ends_with(b"hello\r\n") {
        rest.extend(line.some());
    }
    let rest = String::from_utf8_lossy(&rest);
    assert!(rest.contains("\r\n*1\r\n*3\r\n") && !rest.contains("secret"), "{rest}");
    instance.end();
}
