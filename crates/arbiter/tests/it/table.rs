//! The table of a worker's life, as the architecture's page shows it.

use std::path::PathBuf;

const BEGIN: &str = "<!-- life-table:begin -->\n";
const END: &str = "<!-- life-table:end -->";

#[test]
fn the_architecture_shows_the_table_that_the_code_has() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../ARCHITECTURE.md");
    let page = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("read ARCHITECTURE.md: {error}"));
    let marked = page.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?)));
    let Some((before, (shown, after))) = marked else {
        panic!("ARCHITECTURE.md has no place for the life table: add the lines {BEGIN:?} and {END:?}");
    };
    let table = remuda_arbiter::life_table();
    if shown.trim() == table.trim() {
        return;
    }
    if std::env::var_os("REMUDA_BLESS").is_some() {
        std::fs::write(&path, format!("{before}{BEGIN}\n{table}\n{END}{after}")).unwrap();
        return;
    }
    panic!(
        "the life table in ARCHITECTURE.md is stale; run the test with REMUDA_BLESS=1. It should be:\n{table}"
    );
}
