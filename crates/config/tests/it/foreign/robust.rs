//! Whatever the text, an import answers.

use std::path::PathBuf;

use proptest::prelude::*;
use remuda_config::foreign::{ImportOptions, detect, import_texts};
use remuda_config::load_text;

use super::{fixture, options, surroundings};

const NAMES: [&str; 5] = ["circus.ini", "Procfile", "a@.socket", "a.service", "thing"];

fn import_as(name: &str, text: &str) {
    let path = PathBuf::from("/nonexistent").join(name);
    assert_eq!(detect(&path, text), detect(&path, text), "the answer does not depend on anything else");
    let options = ImportOptions { instances: Some(2), ..options() };
    if let Ok(imported) = import_texts(&[(path.clone(), text.to_owned())], &options) {
        let printed = imported.to_toml();
        assert!(toml::from_str::<toml::Table>(&printed).is_ok(), "{printed}");
        if let Err(report) = load_text(imported.text(), &path, &surroundings()) {
            let moved = imported.relocate(&report);
            assert_eq!(moved.problems().len(), report.problems().len());
            assert!(!moved.to_string().is_empty());
        }
    }
}

proptest! {
    #[test]
    fn random_text_never_panics(name in proptest::sample::select(&NAMES), text in "\\PC{0,200}") {
        import_as(name, &text);
    }

    #[test]
    fn random_lines_of_real_shape_never_panic(
        name in proptest::sample::select(&NAMES),
        lines in proptest::collection::vec("(\\[(watcher|socket|env|Socket|Service|Unit)(:[a-z]{0,3})?\\]|[A-Za-z_.]{1,12} ?[=:] ?[$%(){}'\"\\\\a-zA-Zé0-9@/:.; -]{0,30}|  [a-z$(]{0,9})", 0..30),
    ) {
        import_as(name, &lines.join("\n"));
    }

    #[test]
    fn a_real_file_with_a_part_cut_out_or_changed_never_panics(
        which in 0..5_usize,
        from in 0..2000_usize,
        length in 0..300_usize,
        put in "\\PC{0,20}",
    ) {
        let files = ["circus/circus.ini", "procfile/Procfile", "systemd/www@.socket", "systemd/shop.service", "systemd/shop.socket"];
        let path = fixture(files[which]);
        let mut text = std::fs::read_to_string(&path).unwrap();
        let start = text.floor_char_boundary(from.min(text.len()));
        let end = text.floor_char_boundary((start + length).min(text.len()));
        text.replace_range(start..end, &put);
        let name = path.file_name().unwrap().to_str().unwrap();
        import_as(name, &text);
    }
}
