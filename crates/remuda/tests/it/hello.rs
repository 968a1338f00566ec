//! `examples/hello`: its worker on whichever stream socket it gets.

use crate::harness::peers::repository;
use crate::harness::{Setup, http};

#[test]
fn the_worker_of_the_first_example_answers_on_tcp_and_on_a_unix_socket() {
    let folder = repository().join("examples/hello");
    let config = std::fs::read_to_string(folder.join("remuda.toml")).unwrap();
    let config = config.replace("worker.py", &format!("-B {}/worker.py", folder.display()));
    for listen in ["127.0.0.1:0", "[::1]:0", "unix:hello.sock", "unix:@@DIR@/hello"] {
        let config = config.replace("127.0.0.1:8080", listen);
        let instance = Setup::new(&config).up();
        instance.settled();
        let address = instance.address("web");
        let url = if listen.starts_with("unix:") { address.clone() } else { format!("http://{address}/") };
        instance.wait_line(&format!(" serves {url}"));
        for _ in 0..6 {
            let answer = http::get(&address, "/").unwrap();
            assert!(answer.status == 200 && answer.body.starts_with("hello from slot "), "{answer:?}");
        }
        let transcript = instance.transcript.locked().lines.clone();
        assert!(transcript.iter().all(|line| !line.text.contains("Traceback")), "{transcript:?}");
        instance.end();
    }
}
