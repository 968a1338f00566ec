//! Days on which there is too little: memory, connections, descriptors; and days on which nothing happens.

mod connections;
mod memory;
mod quiet;

use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;

use crate::harness::{Instance, PATIENCE};

/// A ZeroMQ peer of this type, without a library, with whom all greetings are exchanged.
fn greeted(instance: &Instance, socket_type: &str) -> UnixStream {
    let mut stream = UnixStream::connect(instance.runtime().join("bus.sock")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.set_write_timeout(Some(PATIENCE)).unwrap();
    let mut greeting = [0; 64];
    greeting[..10].copy_from_slice(&[0xff, 0, 0, 0, 0, 0, 0, 0, 0, 0x7f]);
    greeting[10] = 3;
    greeting[12..16].copy_from_slice(b"NULL");
    stream.write_all(&greeting).unwrap();
    let mut body = b"\x05READY\x0bSocket-Type\x00\x00\x00".to_vec();
    body.push(u8::try_from(socket_type.len()).unwrap());
    body.extend_from_slice(socket_type.as_bytes());
    stream.write_all(&[4, u8::try_from(body.len()).unwrap()]).unwrap();
    stream.write_all(&body).unwrap();
    stream.read_exact(&mut greeting).unwrap();
    let mut head = [0; 2];
    stream.read_exact(&mut head).unwrap();
    let mut ready = vec![0; usize::from(head[1])];
    stream.read_exact(&mut ready).unwrap();
    assert_eq!(&ready[1..6], b"READY");
    stream
}

/// A field of `/proc/PID/smaps_rollup`, kB.
fn memory_kb(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}
