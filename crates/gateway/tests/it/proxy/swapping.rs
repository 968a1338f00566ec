//! A service that is replaced again and again under load, as the arbiter does it: the listener stays, who accepts on it
//! changes.

use std::io::{Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use super::{Proxy, spec};
use crate::support::PATIENCE;
use crate::waiting::until;

/// How often the service is replaced.
const RELOADS: usize = 50;

/// A worker: it accepts until it is told to stop, and then lets what it has come to its end.
struct Worker {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<()>,
}

impl Worker {
    fn start(listener: &TcpListener, generation: usize) -> Self {
        let (listener, stop) = (listener.try_clone().unwrap(), Arc::new(AtomicBool::new(false)));
        let stopping = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            while !stopping.load(Ordering::SeqCst) {
                match listener.accept() {
                    Ok((stream, _)) => {
                        let stopping = Arc::clone(&stopping);
                        std::thread::spawn(move || serve(stream, generation, &stopping));
                    }
                    // Nobody is there yet: it does not block, so that it can be told to stop.
                    Err(_) => std::thread::sleep(Duration::from_millis(1)),
                }
            }
        });
        Self { stop, thread }
    }

    fn replace(self) {
        self.stop.store(true, Ordering::SeqCst);
        self.thread.join().unwrap();
    }
}

/// One connection: plain requests until the worker stops, then an idle one is closed; streams and tunnels go on.
fn serve(mut stream: TcpStream, generation: usize, stopping: &AtomicBool) {
    stream.set_nonblocking(false).unwrap();
    stream.set_read_timeout(Some(Duration::from_millis(5))).unwrap();
    let mut input = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(len) => input.extend_from_slice(&buffer[..len]),
            Err(_) if input.is_empty() && stopping.load(Ordering::SeqCst) => return,
            Err(_) => continue,
        }
        let Some(end) = input.windows(4).position(|four| four == b"\r\n\r\n") else { continue };
        let head = String::from_utf8(input.drain(..end + 4).collect()).unwrap();
        if head.starts_with("GET /ws ") {
            return echo(stream);
        }
        if head.starts_with("GET /events ") {
            return events(stream);
        }
        let body = generation.to_string();
        let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).is_err() {
            return;
        }
    }
}

fn echo(mut stream: TcpStream) {
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let switch = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n";
    stream.write_all(switch.as_bytes()).unwrap();
    let mut buffer = [0; 64];
    while let Ok(len @ 1..) = stream.read(&mut buffer) {
        if stream.write_all(&buffer[..len]).is_err() {
            return;
        }
    }
}

fn events(mut stream: TcpStream) {
    let head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";
    let mut is_open = stream.write_all(head.as_bytes()).is_ok();
    while is_open {
        // The pace of the events.
        std::thread::sleep(Duration::from_millis(5));
        is_open = stream.write_all(b"9\r\ndata: 1\n\n\r\n").is_ok();
    }
}

/// Counts what comes of a stream of events, while it comes.
fn count_events(mut stream: TcpStream) -> Arc<AtomicUsize> {
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || {
        let mut buffer = [0; 4096];
        while let Ok(len @ 1..) = stream.read(&mut buffer) {
            counted.fetch_add(buffer[..len].iter().filter(|byte| **byte == b'd').count(), Ordering::SeqCst);
        }
    });
    count
}

#[test]
fn fifty_reloads_under_load_fail_no_request_and_end_no_stream() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let proxy = Proxy::new(spec(&[listener.local_addr().unwrap()]));
    let mut worker = Worker::start(&listener, 0);
    let (stop, asked) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
    let mut threads = Vec::new();
    for number in 0..4 {
        let (mut client, stop, asked) = (proxy.connect(), Arc::clone(&stop), Arc::clone(&asked));
        threads.push(std::thread::spawn(move || {
            let post = "POST / HTTP/1.1\r\nHost: test\r\nContent-Length: 0\r\n\r\n";
            while !stop.load(Ordering::SeqCst) {
                let answer = if number % 2 == 0 { client.get("/") } else { client.ask(post) };
                assert_eq!(answer.status(), 200, "{}", answer.text());
                asked.fetch_add(1, Ordering::SeqCst);
            }
        }));
    }
    let (mut socket, mut stream) = (proxy.connect(), proxy.connect());
    socket.send("GET /ws HTTP/1.1\r\nHost: test\r\nConnection: Upgrade\r\nUpgrade: echo\r\n\r\n");
    assert!(socket.head().starts_with("HTTP/1.1 101"));
    stream.send("GET /events HTTP/1.1\r\nHost: test\r\n\r\n");
    stream.head();
    let events = count_events(stream.stream.try_clone().unwrap());
    for generation in 1..=RELOADS {
        let before = (asked.load(Ordering::SeqCst), events.load(Ordering::SeqCst));
        // The new one accepts beside the old one, then the old one stops.
        let next = Worker::start(&listener, generation);
        worker.replace();
        worker = next;
        socket.send("still here");
        assert_eq!(socket.take(10), b"still here");
        until(&format!("requests and events to go on at reload {generation}"), || {
            asked.load(Ordering::SeqCst) >= before.0 + 8 && events.load(Ordering::SeqCst) > before.1
        });
    }
    stop.store(true, Ordering::SeqCst);
    for thread in threads {
        thread.join().unwrap();
    }
    worker.replace();
    drop((socket, stream));
    let (figures, upstream) = proxy.end();
    assert_eq!(figures.routes[0].by_class[4], 0);
    assert!(asked.load(Ordering::SeqCst) >= RELOADS * 8, "{upstream:?}");
}

#[test]
fn requests_wait_for_a_service_without_a_worker_and_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let proxy = Proxy::new(spec(&[listener.local_addr().unwrap()]));
    let mut client = proxy.connect();
    client.send("GET / HTTP/1.1\r\nHost: test\r\n\r\n");
    std::thread::sleep(Duration::from_millis(1200));
    let worker = Worker::start(&listener, 7);
    assert_eq!(client.answer().text(), "7");
    worker.replace();
    let (_, figures) = proxy.end();
    assert_eq!((figures.parked, figures.unanswered), (1, 0));
}
