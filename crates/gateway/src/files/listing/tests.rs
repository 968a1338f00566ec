//! Listings of folders with names nobody should give.

use std::fs::{self, File};

use super::{Listing, percent_encode, readable};

#[test]
fn folders_come_first_and_names_cannot_break_the_page() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("z")).unwrap();
    fs::write(folder.path().join("<img src=x onerror=alert(1)>&\"' %"), "abc").unwrap();
    fs::write(folder.path().join(".hidden"), "abc").unwrap();
    fs::write(folder.path().join("javascript:x"), "").unwrap();
    std::os::unix::fs::symlink("nowhere", folder.path().join("broken")).unwrap();
    let listing = Listing::read(&File::open(folder.path()).unwrap(), "/a/", false).unwrap();
    let names: Vec<_> = listing.entries.iter().map(|entry| entry.name.as_str()).collect();
    assert_eq!(names, ["z", "<img src=x onerror=alert(1)>&\"' %", "javascript:x"]);
    let html = listing.html();
    assert!(!html.contains("<img") && html.contains("href=\"./%3Cimg%20src%3Dx"));
    assert!(html.contains("href=\"./javascript%3Ax\"") && html.contains("href=\"./z/\">z/</a>"));
    assert!(html.contains("<td>3 B</td>"));
    let json: serde_json::Value = serde_json::from_str(&listing.json()).unwrap();
    assert_eq!((&json["entries"][1]["size"], &json["entries"][0]["is_folder"]), (&3.into(), &true.into()));
    let all = Listing::read(&File::open(folder.path()).unwrap(), "/a/", true).unwrap();
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
