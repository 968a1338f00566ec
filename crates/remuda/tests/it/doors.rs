//! A worker shuts down the listener that it shares with everybody.

use remuda_model::EventKind;

use crate::harness::{Instance, Setup, http};

/// Answers with its pid; shuts the listener down when it is asked for `/shut`, and goes on.
const WORKER: &str = r#"
import os, socket
listener = socket.socket(fileno=3)
while True:
    try:
        connection, _ = listener.accept()
    except OSError:
        continue
    request = connection.recv(4096)
    body = str(os.getpid()).encode()
    connection.sendall(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    connection.close()
    if b"/shut" in request:
        listener.shutdown(socket.SHUT_RDWR)
"#;

fn instance(listen: &str, mode: &str) -> Instance {
    let setup = Setup::empty();
    setup.write("worker.py", WORKER);
    setup.configure(&format!(
        "[socket.web]\nlisten = \"{listen}\"\nmode = \"{mode}\"\n\
         [service.web]\ncommand = \"python3 @DIR@/worker.py\"\nsockets = [\"web\"]\nworkers = 2\nstop = {{ timeout = \"1s\" }}\n"
    ));
    let instance = setup.up();
    instance.settled();
    instance
}

fn trouble(instance: &Instance, words: &str) {
    instance.wait_event(
        words,
        |event| matches!(&event.kind, EventKind::Trouble { message } if message.contains(words)),
    );
}

#[test]
fn a_socket_with_a_port_of_its_own_listens_again_with_the_same_workers() {
    for mode in ["shared", "per-worker"] {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let instance = instance(&format!("127.0.0.1:{port}"), mode);
        let (address, pids) = (instance.address("web"), instance.pids("web"));
        http::get(&address, "/shut").unwrap();
        trouble(&instance, "it listens again");
        for _ in 0..20 {
            let pid = http::get(&address, "/").unwrap().pid();
            assert!(pids.contains(&pid));
        }
        assert_eq!(instance.pids("web"), pids);
        let steered = instance.remuda(&["restart", "web.0"]).done();
        assert!(!steered.out.is_empty());
        for _ in 0..20 {
            http::get(&address, "/").unwrap();
        }
        instance.end();
    }
}

#[test]
fn one_that_cannot_listen_again_is_bound_anew_and_its_workers_are_replaced() {
    for listen in ["127.0.0.1:0", "unix:@DIR@/web.sock"] {
        let instance = instance(listen, "shared");
        let (address, pids) = (instance.address("web"), instance.pids("web"));
        http::get(&address, "/shut").unwrap();
        trouble(&instance, "it is bound anew");
        instance.wait_event("the reload", |event| matches!(event.kind, EventKind::ReloadDone { .. }));
        assert_eq!(instance.address("web"), address);
        for _ in 0..20 {
            assert!(!pids.contains(&http::get(&address, "/").unwrap().pid()), "{listen}");
        }
        instance.end();
    }
}
