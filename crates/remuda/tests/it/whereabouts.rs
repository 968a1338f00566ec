//! `examples/whereabouts`: what one server was told, each of them knows.

use std::process::Command;

use crate::harness::peers::{hub_peers, hub_programs, repository};
use crate::harness::{Instance, Setup, run};
use crate::hub_herd::servers::Servers;

const SERVERS: [&str; 5] = ["goloman", "hands", "holiday", "welsh", "wilkes"];

/// The example's config, with the test's Python, ports of its own, and a certificate in its folder.
fn up() -> Instance {
    let folder = repository().join("examples/whereabouts");
    let config = std::fs::read_to_string(folder.join("remuda.toml")).unwrap();
    let python = hub_peers().join("venv/bin/python");
    let mut config = config.replace("python ", &format!("{} -B {}/", python.display(), folder.display()));
    for port in 12_490..12_497 {
        config = config.replace(&format!("127.0.0.1:{port}\""), "127.0.0.1:0\"");
    }
    // Workers are told where the look-up is: its port is drawn before.
    let places = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    config = config.replace("127.0.0.1:12497", &places.to_string());
    config = config.replace("../../target/examples/whereabouts", ".");
    let setup = Setup::new(&format!("{config}\n[hub]\nstate = \"state\"\n"));
    let mut openssl: Command = setup.marked("openssl");
    openssl
        .args(["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"])
        .args(["-subj", "/CN=localhost", "-keyout", "key.pem", "-out", "certificate.pem"]);
    run::run(openssl).done();
    setup.up()
}

#[test]
fn five_servers_of_one_instance_answer_alike() {
    let instance = up();
    instance.settled();
    let port = |socket: &str| port_of(&instance, socket);
    let doors = [("UDP", port("datagrams")), ("WEBSOCKET", port("websocket")), ("TLS", port("tls"))];
    assert_eq!(checks(&instance, &SERVERS.map(port), &doors), 6);
    instance.wait_line("a line longer than 65,536 bytes");
    instance.end();
}

#[test]
fn five_servers_of_a_herd_answer_alike() {
    let folder = repository().join("examples/whereabouts");
    let python = hub_peers().join("venv/bin/python");
    let places = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let more = |server: usize| {
        let text = std::fs::read_to_string(folder.join(format!("herd/{}.toml", SERVERS[server]))).unwrap();
        // The test's own servers have the links of the example, and state folders in the test's.
        let (_, behind) = text.split_once("\n[socket.").unwrap();
        let behind = behind.replace("python ..", &format!("{} -B {}", python.display(), folder.display()));
        let behind = behind.replace(&format!("127.0.0.1:{}\"", 12_490 + server), "127.0.0.1:0\"");
        format!("keys = [\"whereabouts:\"]\n[socket.{}", behind.replace("127.0.0.1:12497", &places))
    };
    // As they talk: Goloman with Hands, Holiday and Wilkes, and so on.
    let talk = [(0, 1), (0, 2), (0, 4), (1, 4), (2, 3), (2, 4)];
    let servers = Servers::up_each(SERVERS.len(), &talk, more);
    servers.are_one(SERVERS.len());
    let ports: Vec<String> = servers.all.iter().map(|server| port_of(server, "lines")).collect();
    assert_eq!(checks(&servers.all[0], &ports, &[]), 5);
    servers.end();
}

fn port_of(instance: &Instance, socket: &str) -> String {
    instance.address(socket).rsplit_once(':').unwrap().1.to_owned()
}

/// Has clients ask all servers, and one by other `doors` too; how many checks that were.
#[track_caller]
fn checks(instance: &Instance, ports: &[String], doors: &[(&str, String)]) -> usize {
    let mut client = instance.marked(&hub_peers().join("venv/bin/python").to_string_lossy());
    client
        .arg(hub_programs().join("whereabouts.py"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .env("WHEREABOUTS_PORTS", ports.join(" "))
        .envs(doors.iter().cloned());
    run::run(client).done().out.matches("ok ").count()
}
