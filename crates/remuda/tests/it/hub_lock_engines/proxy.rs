//! What stands between a hub and its engine, and can be made slow, or to say nothing.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};

/// It passes bytes on for as long as the value lives.
pub(super) struct Proxy {
    pub(super) port: u16,
    gate: Arc<Gate>,
}

#[derive(Default)]
struct Gate {
    is_shut: Mutex<bool>,
    opened: Condvar,
    is_over: AtomicBool,
}

impl Gate {
    fn pass(&self) {
        let shut = self.is_shut.lock().unwrap();
        drop(
            self.opened
                .wait_while(shut, |is_shut| *is_shut && !self.is_over.load(Ordering::Relaxed))
                .unwrap(),
        );
    }
}

impl Proxy {
    pub(super) fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let own = listener.local_addr().unwrap().port();
        let gate = Arc::new(Gate::default());
        let theirs = Arc::clone(&gate);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                if theirs.is_over.load(Ordering::Relaxed) {
                    return;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)) else { continue };
                for (from, to) in [(&client, &server), (&server, &client)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let gate = Arc::clone(&theirs);
                    std::thread::spawn(move || carry(from, to, &gate));
                }
            }
        });
        Self { port: own, gate }
    }

    /// Nothing passes any more, or everything again.
    pub(super) fn shut(&self, is_shut: bool) {
        *self.gate.is_shut.lock().unwrap() = is_shut;
        self.gate.opened.notify_all();
    }
}

fn carry(mut from: TcpStream, mut to: TcpStream, gate: &Gate) {
    let mut bytes = [0; 4096];
    while let Ok(count @ 1..) = from.read(&mut bytes) {
        gate.pass();
        if to.write_all(&bytes[..count]).is_err() {
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Both);
    let _ = from.shutdown(Shutdown::Both);
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.gate.is_over.store(true, Ordering::Relaxed);
        self.gate.opened.notify_all();
        // The listener's thread looks when somebody comes.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}
