//! One file for each finding, and beside it the nearest file that is fine.

use super::{File, LIMIT_LINES};

fn findings(path: &str, text: &str) -> Vec<String> {
    File { path, text }.findings()
}

#[test]
fn a_file_with_a_story_is_fine() {
    assert_eq!(findings("crates/model/src/name.rs", "//! Names.\n"), Vec::<String>::new());
}

#[test]
fn rust_without_a_story_is_found() {
    assert_eq!(
        findings("crates/model/src/name.rs", "use std::fmt;\n"),
        ["crates/model/src/name.rs:1: opens without its `//!` story"]
    );
}

#[test]
fn a_long_file_is_found_and_a_long_test_is_not() {
    let text = format!("//! Long.\n{}", "\n".repeat(LIMIT_LINES));
    assert_eq!(
        findings("crates/sys/src/spawn.rs", &text),
        ["crates/sys/src/spawn.rs: 501 lines, the limit is 500"]
    );
    assert_eq!(findings("crates/sys/src/spawn/tests.rs", &text), Vec::<String>::new());
    assert_eq!(findings("crates/sys/tests/it/spawn.rs", &text), Vec::<String>::new());
}

#[test]
fn unsafe_code_is_found_outside_its_home_only() {
    let text = "//! Calls.\nfn call() {\n    unsafe { done() }\n}\n";
    assert_eq!(
        findings("crates/daemon/src/call.rs", text),
        ["crates/daemon/src/call.rs:3: unsafe code lives in crates/sys/ only"]
    );
    assert_eq!(findings("crates/sys/src/call.rs", text), Vec::<String>::new());
}

#[test]
fn lifting_the_lint_is_found_and_a_comment_about_it_is_not() {
    let text = "//! Calls.\n#![expect(unsafe_code, reason = \"speed\")]\n// unsafe { } would be wrong here\n";
    assert_eq!(
        findings("crates/daemon/src/call.rs", text),
        ["crates/daemon/src/call.rs:2: unsafe code lives in crates/sys/ only"]
    );
}

#[test]
fn an_open_mark_is_found_in_a_script_too() {
    assert_eq!(findings("bench/run", "#!/bin/sh\n# TODO later\n"), ["bench/run:2: TODO left open"]);
}

#[test]
fn a_path_of_one_machine_is_found_in_any_text() {
    assert_eq!(
        findings("README.md", "Run\n`/root/bin/remuda`.\n"),
        ["README.md:2: `/root/` exists on one machine only"]
    );
}

#[test]
fn a_locked_package_from_elsewhere_is_found() {
    let text =
        "source = \"registry+https://github.com/rust-lang/crates.io-index\"\nsource = \"git+https://a/b\"\n";
    assert_eq!(findings("Cargo.lock", text), ["Cargo.lock: a package comes from \"git+https://a/b\""]);
}
