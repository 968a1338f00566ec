//! `examples/broadcast`: whoever looks at one worker sees what was said to another.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use crate::harness::{Instance, http, peers::hub_peers, peers::repository};

/// Windows that look at once: four workers, and enough of them that no worker has all.
const WINDOWS: usize = 12;
const PATIENCE: Duration = Duration::from_secs(20);

#[test]
fn windows_of_all_workers_see_what_is_said_in_one_with_pyzmq_alone() {
    everybody_sees_everything("remuda.toml");
}

#[test]
fn windows_of_all_workers_see_what_is_said_in_one_with_redis_py_alone() {
    everybody_sees_everything("redis.toml");
}

fn everybody_sees_everything(config: &str) {
    let folder = repository().join("examples/broadcast");
    let config = std::fs::read_to_string(folder.join(config)).unwrap();
    let uvicorn = format!("{}/venv/bin/uvicorn --app-dir {} ", hub_peers().display(), folder.display());
    let config = config.replace("127.0.0.1:8080", "127.0.0.1:0").replace("uvicorn ", &uvicorn);
    let config = format!("{config}env = {{ PYTHONDONTWRITEBYTECODE = \"1\" }}\n[hub]\nstate = \"state\"\n");
    let instance = Instance::up(&config);
    instance.settled();
    let address = instance.address("web");
    let mut windows: Vec<Window> = (0..WINDOWS).map(|_| Window::open(&address)).collect();
    let words = ["one", "two", "three"];
    for word in words {
        assert_eq!(http::request(&address, "POST", "/say", word).unwrap().status, 204);
    }
    for window in &mut windows {
        let mut seen = [window.next(), window.next(), window.next()];
        // Different workers said them: their order is not one publisher's.
        seen.sort_unstable();
        assert_eq!(seen, ["one", "three", "two"]);
    }
}

/// A browser's event stream.
struct Window(BufReader<TcpStream>);

impl Window {
    fn open(address: &str) -> Self {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream.write_all(b"GET /events HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
        let mut window = Self(BufReader::new(stream));
        window.until(": listening");
        window
    }

    /// What was said next.
    fn next(&mut self) -> String {
        self.until("data: ")
    }

    /// The rest of the next line that begins with `mark`.
    fn until(&mut self, mark: &str) -> String {
        loop {
            let mut line = String::new();
            assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended before {mark:?}");
            if let Some(rest) = line.strip_prefix(mark) {
                return rest.trim_end().to_owned();
            }
        }
    }
}
