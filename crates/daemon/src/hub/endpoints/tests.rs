//! What workers are told of the hub's addresses.

use super::{Endpoints, HubSocket};

fn endpoints(addresses: &[(HubSocket, &str)]) -> Endpoints {
    Endpoints(addresses.iter().map(|(socket, text)| (*socket, text.parse().unwrap())).collect())
}

fn value<'a>(variables: &'a [(&str, String)], name: &str) -> Option<&'a str> {
    variables.iter().find(|(known, _)| *known == name).map(|(_, value)| value.as_str())
}

#[test]
fn a_worker_is_told_the_first_address_it_can_reach() {
    let found = endpoints(&[
        (HubSocket::Bus, "unix:/run/a/bus.sock"),
        (HubSocket::Store, "unix:/run/a/store.sock"),
        (HubSocket::Bus, "0.0.0.0:5000"),
        (HubSocket::Bus, "127.0.0.1:5001"),
        (HubSocket::Store, "unix:/srv/other.sock"),
        (HubSocket::Store, "[::]:6000"),
        (HubSocket::Pub, "127.0.0.1:5556"),
    ]);
    let variables = found.variables("my@web", "T0");
    assert_eq!(value(&variables, "REMUDA_BUS"), Some("ipc:///run/a/bus.sock"));
    assert_eq!(value(&variables, "REMUDA_BUS_SUB"), value(&variables, "REMUDA_BUS_PUSH"));
    assert_eq!(value(&variables, "REMUDA_BUS_TCP"), Some("tcp://127.0.0.1:5000"));
    assert_eq!(value(&variables, "REDIS_URL"), Some("redis://my%40web:T0@[::1]:6000/0"));
    assert_eq!(value(&variables, "REMUDA_REDIS_SOCKET"), Some("/run/a/store.sock"));
    assert_eq!(value(&variables, "REMUDA_TOKEN"), Some("T0"));
    let view = found.view();
    assert_eq!(view.bus, ["ipc:///run/a/bus.sock", "tcp://0.0.0.0:5000", "tcp://127.0.0.1:5001"]);
    assert_eq!(view.store, ["unix:///run/a/store.sock", "unix:///srv/other.sock", "redis://[::]:6000"]);
    assert_eq!((view.bus_pub.as_deref(), view.bus_pull), (Some("tcp://127.0.0.1:5556"), None));
}

#[test]
fn without_tcp_the_url_names_the_unix_socket() {
    let found = endpoints(&[(HubSocket::Store, "unix:/run/a b/store.sock")]);
    let variables = found.variables("web", "T0");
    assert_eq!(value(&variables, "REDIS_URL"), Some("unix://web:T0@/run/a%20b/store.sock?db=0"));
    assert_eq!(value(&variables, "REMUDA_BUS_TCP"), None);
}
