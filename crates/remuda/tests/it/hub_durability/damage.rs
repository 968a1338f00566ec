//! Bytes that changed while nobody looked: named in the log, the rest kept.

use std::path::PathBuf;

use remuda_model::{EventKind, Record};
use rustix::process::Signal;

use super::Wire;
use crate::harness::{Instance, Setup};

const STORE: &str = "[bus]\n[store]\nfsync = \"always\"\n[hub]\nstate = \"state\"\n";
const KEYS: usize = 200;

fn log_file(instance: &Instance) -> PathBuf {
    let folder = instance.dir().join("state/store");
    let logs = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    logs.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with("log.")).max().unwrap()
}

/// A store with [`KEYS`] keys, stopped; `harm` its log, and start again.
fn harmed(harm: impl FnOnce(&mut Vec<u8>)) -> Instance {
    let mut instance = Instance::up(STORE);
    let mut wire = Wire::new(&instance);
    for number in 0..KEYS {
        assert_eq!(wire.ask(&format!("SET key:{number} value:{number}")), "+OK");
    }
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    let path = log_file(&instance);
    let mut bytes = std::fs::read(&path).unwrap();
    harm(&mut bytes);
    std::fs::write(&path, &bytes).unwrap();
    instance.anew();
    instance.settled();
    instance
}

fn find(bytes: &[u8], text: &str) -> usize {
    bytes.windows(text.len()).position(|window| window == text.as_bytes()).unwrap()
}

fn count(wire: &mut Wire) -> usize {
    wire.ask("DBSIZE")[1..].parse().unwrap()
}

#[test]
fn a_flipped_byte_is_named_by_file_and_offset_and_the_rest_is_kept() {
    let mut place = 0;
    let instance = harmed(|bytes| {
        place = find(bytes, "value:100");
        bytes[place] ^= 0x40;
    });
    let mut wire = Wire::new(&instance);
    let kept = count(&mut wire);
    assert!((KEYS - 20..KEYS).contains(&kept), "{kept} of {KEYS} are kept");
    for key in [0, KEYS - 1] {
        assert_eq!(wire.text(&format!("GET key:{key}")), Some(format!("value:{key}")));
    }
    let said = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
    let line = said
        .lines()
        .find(|line| line.contains("log.") && line.contains("byte"))
        .unwrap_or_else(|| panic!("{said}"));
    let numbers: Vec<usize> =
        line.split(|letter: char| !letter.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect();
    assert!(
        numbers.windows(2).any(|pair| (pair[0]..=pair[1]).contains(&place))
            || numbers.iter().any(|number| (place.saturating_sub(4096)..=place).contains(number)),
        "{place} is not in {line}"
    );
    assert_eq!(wire.ask("SET after 1"), "+OK");
    instance.end();
}

#[test]
fn a_log_cut_off_anywhere_is_read_up_to_there() {
    for part in [3, 7] {
        let instance = harmed(|bytes| {
            let at = bytes.len() * part / 10;
            bytes.truncate(at);
        });
        let mut wire = Wire::new(&instance);
        let kept = count(&mut wire);
        assert!(kept > 0 && kept < KEYS, "{kept}");
        // What is kept is a beginning, without holes.
        assert_eq!(wire.text(&format!("GET key:{}", kept - 1)), Some(format!("value:{}", kept - 1)));
        assert_eq!(wire.text(&format!("GET key:{kept}")), None);
        instance.end();
    }
}

#[test]
fn a_lost_manifest_is_made_anew() {
    let mut instance = Instance::up(STORE);
    assert_eq!(Wire::new(&instance).ask("SET here 1"), "+OK");
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    std::fs::remove_file(instance.dir().join("state/store/manifest")).unwrap();
    instance.anew();
    instance.settled();
    assert_eq!(Wire::new(&instance).text("GET here").as_deref(), Some("1"));
    let said = instance.remuda(&["logs", "hub", "-n", "100"]).done().out;
    let told: Vec<_> = said.lines().filter(|line| line.contains("manifest")).collect();
    assert!(told.len() == 1 && told[0].contains("is missing; it was made anew"), "{told:?}");
    instance.end();
}

#[test]
fn a_hub_that_cannot_begin_says_why_once_in_each_life() {
    let setup = Setup::new(STORE);
    std::fs::create_dir_all(setup.dir().join("state/store/manifest")).unwrap();
    let instance = setup.up();
    instance.wait_line("EISDIR");
    instance.remuda(&["stop", "hub"]).done();
    let lives = |events: &[Record]| {
        events.iter().filter(|record| matches!(record.event.kind, EventKind::WorkerSpawned)).count()
    };
    let transcript = instance.transcript.locked();
    let told: Vec<_> = transcript.lines.iter().filter(|line| line.text.contains("EISDIR")).collect();
    assert!(!told.is_empty() && told.len() <= lives(&transcript.events), "{told:?}");
    assert!(told.iter().all(|line| line.text.matches("journal").count() == 1), "{told:?}");
    drop(transcript);
    instance.end();
}
