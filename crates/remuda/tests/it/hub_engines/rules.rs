//! The rules of a service hold where other servers carry the bus and hold the store.

use super::{Server, config};
use crate::harness::Instance;
use crate::harness::server::Kind;
use crate::hub_redis::access::{is_held_to_its_keys, token};
use crate::hub_redis::protocol::{local, remote};

const RULES: &str = "[service.web]\ncommand = \"sleep 1000\"\n\
    [access.web]\nkeys = [\"web:\"]\nread_keys = [\"shared:\"]\ntopics = [\"web.\"]\nread_topics = [\"news.\"]\n";

#[test]
fn keys_and_topics_of_a_service_are_its_prefixes_at_an_engine_too() {
    let redis = Server::start(Kind::Redis, &[]);
    let url = redis.url("");
    let instance = Instance::up(&format!("{}{RULES}", config(&url, &url)));
    local(&instance).ask("MSET shared:a 1 secret 2 web:s 3\r\n", "+OK\r\n");
    let mut line = remote(&instance);
    line.ask("GET web:a\r\n", "-NOAUTH Authentication required.\r\n");
    line.ask(&format!("AUTH web {}\r\n", token(&instance, "web")), "+OK\r\n");
    line.ask("SET web:a 1\r\nGET web:a\r\nGET shared:a\r\n", "+OK\r\n$1\r\n1\r\n$1\r\n1\r\n");
    is_held_to_its_keys(&mut line);
    for (command, name) in [("PFCOUNT web:a", "pfcount"), ("FUNCTION LIST", "function")] {
        let answer = format!("-NOPERM User web has no permissions to run the '{name}' command\r\n");
        line.ask(&format!("{command}\r\n"), &answer);
    }
    line.ask(
        "EVAL \"return redis.call('GET', 'secret')\" 0\r\n",
        "-NOPERM scripts run in the store's engine, where nobody sees what they use: they are for users without rules\r\n",
    );
    line.ask(
        "MULTI\r\nSET web:a 2\r\nGET secret\r\nEXEC\r\n",
        "+OK\r\n+QUEUED\r\n-NOPERM No permissions to access a key\r\n\
         -EXECABORT Transaction discarded because of previous errors.\r\n",
    );
    for (command, topic) in
        [("PUBLISH news.a x", "news.a"), ("PSUBSCRIBE *", "*"), ("SUBSCRIBE web.a other", "other")]
    {
        let why = "channel used as an argument to the command";
        line.ask(
            &format!("{command}\r\n"),
            &format!("-NOPERM No permissions to access the '{topic}' {why}\r\n"),
        );
    }
    line.ask("SELECT 1\r\nGET secret\r\n", "+OK\r\n-NOPERM No permissions to access a key\r\n");
    line.ask("PUBLISH web.a x\r\n", ":0\r\n");
    local(&instance).ask("GET web:a\r\nEXISTS stolen web:x\r\n", "$1\r\n1\r\n:0\r\n");
    instance.end();
}
