//! The page about Redis commands says what the tables say.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use super::own::OURS;
use super::{CommandKind, all, lookup};

const BEGIN: &str = "<!-- commands: begin -->\n";
const END: &str = "<!-- commands: end -->";

/// How a command differs from Redis' own of that name.
const DIFFERENCES: &[(&str, &str)] = &[
    (
        "acl",
        "`WHOAMI`, `USERS`, `CAT` (empty) only: users are services, their rules stand in `[access.NAME]`",
    ),
    (
        "auth",
        "users are services, passwords their tokens; with a token alone the user is the service it belongs to",
    ),
    ("bgrewriteaof", "writes the journal anew"),
    ("bgsave", "as `BGREWRITEAOF`"),
    ("bitcount", "arguments are looked at though the key does not exist, as from 7.2"),
    ("bitpos", "arguments are looked at though the key does not exist, as from 7.2"),
    ("blpop", "in a script or transaction it does not wait"),
    (
        "client",
        "`ID GETNAME SETNAME SETINFO INFO LIST KILL UNBLOCK REPLY NO-EVICT NO-TOUCH GETREDIR TRACKINGINFO UNPAUSE`; no client-side caching, no `PAUSE`; `LIST KILL UNBLOCK` not inside `MULTI`",
    ),
    ("command", "`COUNT INFO LIST GETKEYS`; `DOCS` has `since` alone"),
    (
        "config",
        "`GET` of the commonest; `SET` of `notify-keyspace-events` alone: the rest is set in remuda.toml",
    ),
    ("debug", "only Redis' own tests need it"),
    (
        "eval",
        "libraries cannot be changed by scripts; a script is ended after its time limit (`store.script.time`, 5 s), for which everybody else waits; patterns with 100,000 open choices are `pattern too complex`",
    ),
    ("flushall", "at once, also with `ASYNC`"),
    ("flushdb", "at once, also with `ASYNC`"),
    ("hello", "`version` is 7.4.0"),
    ("hincrbyfloat", "sums are 64 bit floats, written in the fewest digits that tell them apart"),
    ("incrbyfloat", "sums are 64 bit floats, written in the fewest digits that tell them apart"),
    (
        "info",
        "sections `Server Clients Memory Persistence Stats Replication Bus Keyspace`; `store_events` says what this client would hear of changes: `off`, `names`, `values`",
    ),
    ("lastsave", "the time now: what is written is on disk within `fsync`"),
    ("module", "there are none"),
    ("object", "`ENCODING REFCOUNT IDLETIME FREQ`"),
    ("publish", "topics that begin with `store.`, `__key` or `lock.` are the hub's own"),
    ("readonly", "refused: there is no cluster"),
    ("readwrite", "refused: there is no cluster"),
    ("role", "always a master without replicas"),
    ("save", "as `BGREWRITEAOF`"),
    ("scan", "cursors are not those of Redis; what stays is always seen"),
    ("script", "`LOAD EXISTS FLUSH KILL`"),
    ("slowlog", "always empty"),
    ("sort", "refused with `BY` and `GET` patterns to a service whose keys are limited"),
    ("wait", "there are no replicas: 0 at once"),
    ("waitaof", "at once: what a reply waits for is set by `[store] fsync`"),
    ("xclaim", "makes the consumer though nothing is claimed, as from 7.2"),
    ("xread", "`+` reads the last entry, as from 7.4"),
    ("zadd", "scores are written in the fewest digits that tell them apart, as from 7.2; there is one zero"),
];

/// Commands of Redis 7 that are not here.
const MISSING: &[(&str, &str)] = &[
    ("asking", "3.0.0"),
    ("cluster", "3.0.0"),
    ("debug", "1.0.0"),
    ("dump", "2.6.0"),
    ("failover", "6.2.0"),
    ("fcall", "7.0.0"),
    ("fcall_ro", "7.0.0"),
    ("function", "7.0.0"),
    ("geoadd", "3.2.0"),
    ("geodist", "3.2.0"),
    ("geohash", "3.2.0"),
    ("geopos", "3.2.0"),
    ("georadius", "3.2.0"),
    ("georadiusbymember", "3.2.0"),
    ("geosearch", "6.2.0"),
    ("geosearchstore", "6.2.0"),
    ("hexpire", "7.4.0"),
    ("hexpireat", "7.4.0"),
    ("hexpiretime", "7.4.0"),
    ("hpersist", "7.4.0"),
    ("hpexpire", "7.4.0"),
    ("hpexpireat", "7.4.0"),
    ("hpexpiretime", "7.4.0"),
    ("hpttl", "7.4.0"),
    ("httl", "7.4.0"),
    ("latency", "2.8.13"),
    ("lcs", "7.0.0"),
    ("migrate", "2.6.0"),
    ("monitor", "1.0.0"),
    ("pfadd", "2.8.9"),
    ("pfcount", "2.8.9"),
    ("pfmerge", "2.8.9"),
    ("psync", "2.8.0"),
    ("replicaof", "5.0.0"),
    ("restore", "2.6.0"),
    ("shutdown", "1.0.0"),
    ("slaveof", "1.0.0"),
    ("sync", "1.0.0"),
];

fn table() -> String {
    let differences: BTreeMap<_, _> = DIFFERENCES.iter().copied().collect();
    let mut rows = BTreeMap::new();
    for kind in all() {
        let name = kind.name().to_ascii_lowercase();
        let since = kind.since();
        if since != OURS {
            rows.insert(name, ("yes", since));
        }
    }
    for (name, since) in MISSING {
        rows.insert((*name).to_owned(), ("no", since));
    }
    let mut text = String::from("| command | supported | since | difference |\n|---|---|---|---|\n");
    for (name, (supported, since)) in &rows {
        let difference = differences.get(name.as_str()).copied().unwrap_or_default();
        let name = name.to_ascii_uppercase();
        let _ = writeln!(text, "| `{name}` | {supported} | {since} | {difference} |");
    }
    text
}

#[test]
fn the_page_lists_every_command_there_is() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/redis.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (head, rest) = page.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let wanted = format!("{head}{BEGIN}\n{}\n{END}{tail}", table());
    if std::env::var_os("REMUDA_BLESS").is_some() {
        return std::fs::write(&path, &wanted).unwrap();
    }
    assert!(page == wanted, "docs/redis.md is stale; run this test with REMUDA_BLESS=1");
    let ours = all().filter(|kind| matches!(kind, CommandKind::Own(own) if own.since == OURS));
    let untold: Vec<_> =
        ours.map(CommandKind::name).filter(|name| !head.contains(&format!("`{name}"))).collect();
    assert!(untold.is_empty(), "docs/redis.md does not describe {untold:?}");
}

#[test]
fn differences_are_of_commands_that_the_table_has() {
    for (name, _) in DIFFERENCES {
        let is_missing = MISSING.iter().any(|(missing, _)| missing == name);
        assert!(is_missing || lookup(name.as_bytes()).is_some(), "{name}");
    }
    for (name, _) in MISSING {
        assert!(lookup(name.as_bytes()).is_none(), "{name} is there");
    }
}
