//! A wire between two servers that a test can cut and mend.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

/// It listens as long as it lives; where it leads is said later, and may change.
pub(crate) struct Wire {
    pub(crate) address: SocketAddr,
    inner: Arc<Inner>,
}

struct Inner {
    leads_to: Mutex<Option<SocketAddr>>,
    is_over: AtomicBool,
    is_slow: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
    /// Whether what goes in does not come out, for now.
    is_silent: Mutex<bool>,
    has_changed: Condvar,
}

impl Wire {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let inner = Arc::new(Inner {
            leads_to: Mutex::new(None),
            is_over: AtomicBool::new(false),
            is_slow: AtomicBool::new(false),
            streams: Mutex::new(Vec::new()),
            is_silent: Mutex::new(false),
            has_changed: Condvar::new(),
        });
        let own = Arc::clone(&inner);
        std::thread::spawn(move || {
            for near in listener.incoming().flatten() {
                if own.is_over.load(Ordering::SeqCst) {
                    return;
                }
                // What leads nowhere is dropped, as by a host that is not there.
                let leads_to = own.leads_to.lock().unwrap();
                let Some(far) = leads_to.and_then(|address| TcpStream::connect(address).ok()) else {
                    continue;
                };
                let mut streams = own.streams.lock().unwrap();
                for (from, to) in [(&near, &far), (&far, &near)] {
                    let (from, to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    let inner = Arc::clone(&own);
                    std::thread::spawn(move || copy(from, to, &inner));
                }
                streams.extend([near, far]);
            }
        });
        Self { address, inner }
    }

    /// From now on it leads there, and what it held back comes out.
    pub(crate) fn mend(&self, to: SocketAddr) {
        *self.inner.leads_to.lock().unwrap() = Some(to);
        self.set_silent(false);
    }

    /// What goes in does not come out until it is mended; connections stay.
    pub(crate) fn silence(&self) {
        self.set_silent(true);
    }

    fn set_silent(&self, is_silent: bool) {
        *self.inner.is_silent.lock().unwrap() = is_silent;
        self.inner.has_changed.notify_all();
    }

    /// From now on it carries 400 KiB in a second.
    pub(crate) fn slow_down(&self) {
        self.inner.is_slow.store(true, Ordering::SeqCst);
    }

    /// All connections over it end, and none is made.
    pub(crate) fn cut(&self) {
        let mut leads_to = self.inner.leads_to.lock().unwrap();
        *leads_to = None;
        self.set_silent(false);
        for stream in self.inner.streams.lock().unwrap().drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(Shutdown::Both);
        }
    }
}

fn copy(mut from: TcpStream, mut to: TcpStream, wire: &Inner) {
    let mut buffer = [0; 16 * 1024];
    while let Ok(count @ 1..) = from.read(&mut buffer) {
        if wire.is_slow.load(Ordering::SeqCst) {
            // What makes it slow: 16 KiB each time.
            std::thread::sleep(Duration::from_millis(40));
        }
        drop(wire.has_changed.wait_while(wire.is_silent.lock().unwrap(), |is_silent| *is_silent));
        if to.write_all(&buffer[..count]).is_err() {
            break;
        }
    }
    let _ = (from.shutdown(Shutdown::Both), to.shutdown(Shutdown::Both));
}

impl Drop for Wire {
    fn drop(&mut self) {
        self.inner.is_over.store(true, Ordering::SeqCst);
        self.cut();
        // Wakes the listener, which ends.
        let _ = TcpStream::connect(self.address);
    }
}
