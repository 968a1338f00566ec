//! Days on which there is too little: memory, connections, descriptors; and days on which nothing happens.

mod connections;
mod memory;
mod quiet;

/// A field of `/proc/PID/smaps_rollup`, kB.
fn memory_kb(pid: u32, field: &str) -> u64 {
    let text = std::fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(field)?.strip_prefix(':'));
    line.unwrap().trim().trim_end_matches(" kB").parse().unwrap()
}
