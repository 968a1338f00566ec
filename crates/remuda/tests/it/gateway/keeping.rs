//! No request is lost when gateways change, with a connection for each and with connections that are kept.

use std::io::{BufRead as _, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;

use rustix::process::Signal;

use super::{EDGE, edge};
use crate::harness::load::Load;
use crate::harness::{PATIENCE, until};

/// Requests on connections that are kept until the server says that it closes them.
pub(super) struct Kept {
    stop: Arc<AtomicBool>,
    answered: Arc<AtomicUsize>,
    askers: Vec<JoinHandle<Vec<String>>>,
}

impl Kept {
    pub(super) fn start(address: &str, connections: usize) -> Self {
        let (stop, answered) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let askers = (0..connections).map(|_| {
            let (address, stop, answered) = (address.to_owned(), Arc::clone(&stop), Arc::clone(&answered));
            std::thread::spawn(move || {
                let mut failures = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    if let Err(error) = on_one_connection(&address, &stop, &answered) {
                        failures.push(error.to_string());
                    }
                }
                failures
            })
        });
        Self { stop: Arc::clone(&stop), answered: Arc::clone(&answered), askers: askers.collect() }
    }

    /// Waits until so many more were answered.
    pub(super) fn go_on(&self, more: usize) {
        let before = self.answered.load(Ordering::Relaxed);
        until("answers", || self.answered.load(Ordering::Relaxed) >= before + more);
    }

    #[track_caller]
    pub(super) fn none_failed(self) {
        self.stop.store(true, Ordering::Relaxed);
        let failures: Vec<String> = self.askers.into_iter().flat_map(|asker| asker.join().unwrap()).collect();
        let answered = self.answered.load(Ordering::Relaxed);
        assert!(failures.is_empty(), "{} of {answered} failed: {failures:?}", failures.len());
        assert!(answered > 0);
    }
}

fn on_one_connection(address: &str, stop: &AtomicBool, answered: &AtomicUsize) -> std::io::Result<()> {
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(b"GET /hello.txt HTTP/1.1\r\nHost: test\r\n\r\n")?;
        let (mut closes, mut first, mut length) = (false, true, 0);
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(std::io::Error::other("closed without an answer"));
            }
            if std::mem::take(&mut first) && !line.starts_with("HTTP/1.1 200 ") {
                return Err(std::io::Error::other(line));
            }
            closes |= line.eq_ignore_ascii_case("connection: close\r\n");
            if let Some(text) = line.strip_prefix("Content-Length: ") {
                length = text.trim().parse().unwrap();
            }
            if line == "\r\n" {
                break;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body)?;
        if body != b"hello, world" {
            return Err(std::io::Error::other("another body"));
        }
        answered.fetch_add(1, Ordering::Relaxed);
        if closes {
            return Ok(());
        }
    }
    Ok(())
}

#[test]
fn reloads_lose_no_request() {
    let instance = edge(EDGE);
    let address = instance.address("http");
    let (load, kept) = (Load::start(&address), Kept::start(&address, 8));
    for _ in 0..5 {
        let before = instance.pids("edge");
        instance.remuda(&["reload", "edge"]).done();
        assert!(instance.pids("edge").iter().all(|pid| !before.contains(pid)));
        kept.go_on(200);
    }
    instance.remuda(&["scale", "edge=4"]).done();
    kept.go_on(200);
    instance.remuda(&["scale", "edge=1"]).done();
    kept.go_on(200);
    kept.none_failed();
    load.finish().none_failed();
    instance.end();
}

#[test]
fn a_gateway_that_is_killed_is_replaced_and_the_others_serve() {
    let instance = edge(EDGE);
    let load = Load::start(&instance.address("http"));
    for _ in 0..3 {
        let before = instance.pids("edge");
        let after = instance.last_event();
        load.while_quiet(|| crate::harness::process::signal(before[0], Signal::KILL));
        instance.wait_event_after(after, "the next one", |event| {
            matches!(&event.kind, remuda_model::EventKind::WorkerReady { .. })
        });
        instance.settled();
    }
    load.finish().none_failed();
    // What the killed could not take away is gone too.
    let folder = instance.control().with_file_name("gateway");
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    instance.end();
    assert!(!folder.exists());
}

#[test]
fn who_comes_while_everything_ends_is_refused_and_who_is_served_gets_all() {
    let both =
        EDGE.replace("\"http\"]", "\"http\", \"local\"]") + "[socket.local]\nlisten = \"unix:edge.sock\"\n";
    let mut instance = edge(&both);
    instance.write("public/huge.bin", &"x".repeat(30_000_000));
    let (address, local) = (instance.address("http"), instance.dir().join("edge.sock"));
    let mut tcp = TcpStream::connect(&address).unwrap();
    tcp.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut unix = UnixStream::connect(&local).unwrap();
    unix.set_read_timeout(Some(PATIENCE)).unwrap();
    begin_download(&mut tcp);
    begin_download(&mut unix);
    instance.signal(Signal::TERM);
    let is_refused = |error: std::io::Error| error.kind() == std::io::ErrorKind::ConnectionRefused;
    until("newcomers are refused", || {
        TcpStream::connect(&address).is_err_and(is_refused)
            && UnixStream::connect(&local).is_err_and(is_refused)
    });
    assert!(instance.status().stopping, "it still waits for who is served");
    for stream in [&mut tcp as &mut dyn Read, &mut unix] {
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.len() > 30_000_000 - 1000, "{}", rest.len());
    }
    assert_eq!(instance.wait_end(), 0);
    instance.assert_nothing_left();
    instance.transcript.wait_end();
    let written = format!("{:?}", instance.transcript.locked());
    for trouble in ["accept a connection", "shut down", "cut off", "exit 1"] {
        assert!(!written.contains(trouble), "{trouble}: {written}");
    }
}

fn begin_download(stream: &mut (impl Read + Write)) {
    stream.write_all(b"GET /huge.bin HTTP/1.1\r\nHost: test\r\nConnection: close\r\n\r\n").unwrap();
    stream.read_exact(&mut [0; 1000]).unwrap();
}

#[test]
fn a_download_that_runs_is_finished_during_a_reload() {
    let instance = edge(EDGE);
    instance.write("public/huge.bin", &"x".repeat(30_000_000));
    let mut stream = TcpStream::connect(instance.address("http")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(b"GET /huge.bin HTTP/1.1\r\nHost: test\r\n\r\n").unwrap();
    let mut some = [0; 1000];
    stream.read_exact(&mut some).unwrap();
    let reload = std::thread::scope(|scope| {
        let reload = scope.spawn(|| instance.remuda(&["reload", "edge"]));
        let mut rest = Vec::new();
        stream.read_to_end(&mut rest).unwrap();
        assert!(rest.len() + 1000 > 30_000_000, "{}", rest.len());
        reload.join().unwrap()
    });
    reload.done();
    instance.end();
}
