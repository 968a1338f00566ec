//! From the store to Redis itself, with Redis' own tool.

use super::Wire;
use crate::harness::server::{Kind, Server};
use crate::harness::{Instance, run};

#[test]
fn redis_reads_what_the_store_has_written() {
    let instance = Instance::up("[bus]\n[store]\n[hub]\nstate = \"state\"\n");
    let mut wire = Wire::new(&instance);
    for number in 0..500 {
        assert_eq!(wire.ask(&format!("SET text:{number} {number}")), "+OK");
        wire.ask(&format!("RPUSH list {number}"));
        wire.ask(&format!("HSET hash field:{number} {number}"));
        wire.ask(&format!("ZADD sorted {number} member:{number}"));
    }
    wire.ask("XADD stream 5-1 field value");
    wire.line();
    assert_eq!(wire.ask("PEXPIREAT text:0 9999999999999"), ":1");
    assert_eq!(wire.ask("SELECT 3"), "+OK");
    assert_eq!(wire.ask("SET other 1"), "+OK");
    assert!(wire.ask("BGREWRITEAOF").starts_with('+'));
    for number in 0..500 {
        wire.ask(&format!("SADD set {number}"));
    }
    instance.remuda(&["stop", "hub"]).done();
    let redis = Server::start(Kind::Redis, &[]);
    let url = redis.url("");
    let cli = |words: &str| {
        let mut command = instance.marked("sh");
        command.args(["-c", &format!("redis-cli -u {url} {words}")]);
        run::run(command)
    };
    let mut command = instance.marked("sh");
    let pipe = format!("cd state/store && cat $(ls base.* log.* | grep -v part) | redis-cli -u {url} --pipe");
    command.args(["-c", &pipe]);
    let said = run::run(command);
    // The revision of the base, which no Redis knows.
    assert!(said.out.contains("errors: 1,"), "{said:?}");
    let expected = [
        // 500 texts, a list, a hash, a sorted set and a stream.
        ("DBSIZE", "504"),
        ("GET text:499", "499"),
        ("LINDEX list 499", "499"),
        ("LLEN list", "500"),
        ("HGET hash field:7", "7"),
        ("ZSCORE sorted member:9", "9"),
        ("XLEN stream", "1"),
        ("PEXPIRETIME text:0", "9999999999999"),
        ("-n 3 GET other", "1"),
        ("-n 3 SCARD set", "500"),
    ];
    for (command, value) in expected {
        assert_eq!(cli(command).out.trim(), value, "{command}");
    }
    instance.remuda(&["start", "hub"]).done();
    assert_eq!(Wire::new(&instance).ask("LLEN list"), ":500", "nothing was taken away");
    instance.end();
}
