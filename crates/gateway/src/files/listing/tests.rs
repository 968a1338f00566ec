//! Listings of folders with names nobody should give.

use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use remuda_sys::transfer::{self, Links};

use super::{Listing, percent_encode, readable};

fn read(folder: &Path, with_hidden: bool) -> Listing {
    let root = transfer::open_folder(folder).unwrap();
    let look = |name: &[u8]| transfer::look_beneath(&root, name, Links::Beneath);
    Listing::read(&File::open(folder).unwrap(), "/a/", with_hidden, look).unwrap()
}

#[test]
fn names_that_are_no_text_lead_to_their_files() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join(OsStr::from_bytes(b"caf\xe9 1")), "abc").unwrap();
    let listing = read(folder.path(), false);
    assert!(listing.html().contains("href=\"./caf%E9%201\">caf\u{fffd} 1</a>"), "{}", listing.html());
    assert_eq!(listing.entries[0].href, "caf%E9%201");
}

#[test]
fn folders_come_first_and_names_cannot_break_the_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("z")).unwrap();
    fs::write(folder.path().join("<img src=x onerror=alert(1)>&\"' %"), "abc").unwrap();
    fs::write(folder.path().join(".hidden"), "abc").unwrap();
    fs::write(folder.path().join("javascript:x"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).unwrap();
    let listing = read(folder.path(), false);
    let names: Vec<_> = listing.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["z", "<img src=x onerror=alert(1)>&\"' %", "javascript:x"]);
    let html = listing.html();
    assert!(!html.contains("<img") && html.contains("href=\"./%3Cimg%20src%3Dx"));
    assert!(html.contains("href=\"./javascript%3Ax\"") && html.contains("href=\"./z/\">z/</a>"));
    assert!(html.contains("<td>3 B</td>"));
    let json: serde_json::Value = serde_json::from_str(&listing.json()).unwrap();
    assert_eq!((&json["entries"][1]["size"], &json["entries"][0]["is_folder"]), (&3.into(), &true.into()));
    let all = read(folder.path(), true);
    assert_eq!(all.entries.len(), 4);
}

#[test]
fn sizes_are_readable() {
    for (size, expected) in [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1_048_575, "1023.9 KiB"),
        (5 << 30, "5.0 GiB"),
    ] {
        assert_eq!(readable(size), expected);
    }
    assert_eq!(percent_encode("a b/\u{e4}%?#".as_bytes()), "a%20b/%C3%A4%25%3F%23");
}
