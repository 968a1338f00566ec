//! Which scripts are known, for how long, and what they leave to others.

use super::{Strings, Text, run_on};
use crate::script::{Limits, Request, Scripts, Source, sha};

#[test]
fn a_script_is_known_by_its_sha_until_the_flush() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let by_sha = |scripts: &mut Scripts, sha: &[u8]| {
        let request = Request { source: Source::Sha(sha), keys: &[], arguments: &[], is_read_only: false };
        let mut text = Text::default();
        scripts.run(request, &mut Strings::default(), &mut text);
        text.0.trim_end().to_owned()
    };
    let sha = scripts.load(b"return 7").unwrap();
    assert!(scripts.contains(&sha) && scripts.contains(&sha.to_ascii_uppercase()));
    assert_eq!(by_sha(&mut scripts, &sha.to_ascii_uppercase()), ":7");
    assert_eq!(scripts.loaded().collect::<Vec<_>>(), [b"return 7"]);
    assert!(
        scripts.load(b"return (").unwrap_err().starts_with("ERR Error compiling script (new function): ")
    );
    scripts.flush();
    assert!(!scripts.contains(&sha));
    for unknown in [&sha[..], b"x", b""] {
        assert_eq!(by_sha(&mut scripts, unknown), "-NOSCRIPT No matching script. Please use EVAL.");
    }
}

#[test]
fn evaluated_scripts_go_by_age_and_loaded_ones_stay() {
    let limits = Limits { evaluated_max: 2, loaded_max: 1, source_max_bytes: 40, ..Limits::default() };
    let (mut scripts, mut host) = (Scripts::new(limits).unwrap(), Strings::default());
    let loaded = scripts.load(b"return 'loaded'").unwrap();
    assert!(scripts.load(b"return 'more'").unwrap_err().contains("SCRIPT FLUSH"));
    let mut shas = Vec::new();
    for number in 0..5 {
        let script = format!("return {number}");
        assert_eq!(run_on(&mut scripts, &mut host, &script, &[], &[]), format!(":{number}"));
        shas.push(sha(script.as_bytes()));
    }
    let known: Vec<bool> = shas.iter().map(|sha| scripts.contains(sha)).collect();
    assert_eq!(known, [false, false, false, true, true]);
    assert!(scripts.contains(&loaded) && scripts.count() == 3);
    let long = format!("return '{}'", "x".repeat(40));
    assert!(run_on(&mut scripts, &mut host, &long, &[], &[]).contains("40 are the most"));
}

#[test]
fn large_scripts_give_way_to_new_ones() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let mut host = Strings::default();
    for number in 0..80 {
        let script = format!("local s = '{number}{}' return {number}", "x".repeat(700 * 1024));
        assert_eq!(run_on(&mut scripts, &mut host, &script, &[], &[]), format!(":{number}"));
    }
    let much = "return #string.rep('x', 4 * 1024 * 1024)";
    assert_eq!(run_on(&mut scripts, &mut host, much, &[], &[]), ":4194304");
}

#[test]
fn loaded_scripts_leave_memory_to_those_that_run() {
    let mut scripts = Scripts::new(Limits::default()).unwrap();
    let large = |number: u32| format!("local s = '{number}{}' return {number}", "x".repeat(700 * 1024));
    let evaluated = run_on(&mut scripts, &mut Strings::default(), "return 'small'", &[], &[]);
    assert_eq!(evaluated, "$small");
    let loaded = (0..60).take_while(|number| match scripts.load(large(*number).as_bytes()) {
        Ok(_) => true,
        Err(text) => {
            assert!(text.contains("SCRIPT FLUSH"), "{text}");
            false
        }
    });
    let loaded: Vec<u32> = loaded.collect();
    assert!((10..40).contains(&loaded.len()), "{loaded:?}");
    assert_eq!(scripts.loaded().count(), loaded.len());
    // A successor, which is given them in any order, keeps them all.
    let mut successor = Scripts::new(Limits::default()).unwrap();
    for source in scripts.loaded() {
        successor.load(source).unwrap();
    }
    let much = "return #string.rep('x', 4 * 1024 * 1024)";
    assert_eq!(run_on(&mut scripts, &mut Strings::default(), much, &[], &[]), ":4194304");
    scripts.flush();
    scripts.load(large(60).as_bytes()).unwrap();
}
