//! The reference page says what the declarations say.

use std::fs;
use std::path::Path;

use remuda_config::{reference, schema};

const BEGIN: &str = "<!-- keys: begin -->\n";
const END: &str = "<!-- keys: end -->";

#[test]
fn the_reference_page_is_up_to_date() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/configuration.md");
    let page = fs::read_to_string(&path).expect("the reference page");
    let (head, rest) = page.split_once(BEGIN).expect("the begin mark");
    let (_, tail) = rest.split_once(END).expect("the end mark");
    let wanted = format!("{head}{BEGIN}\n{}{END}{tail}", reference());
    if std::env::var_os("REMUDA_BLESS").is_some() {
        fs::write(&path, &wanted).expect("the reference page");
        return;
    }
    assert!(page == wanted, "docs/configuration.md is stale; run this test with REMUDA_BLESS=1");
}

#[test]
fn every_table_of_the_file_has_its_section() {
    let (text, schema) = (reference(), schema());
    let missing: Vec<_> = schema["properties"]
        .as_object()
        .expect("the keys of the file")
        .keys()
        .filter(|key| {
            let heads = [format!("### `[{key}]`"), format!("### `[[{key}]]`"), format!("### `[{key}.NAME]`")];
            !text.lines().any(|line| heads.iter().any(|head| line == head))
        })
        .collect();
    assert!(missing.is_empty(), "{missing:?}");
    for head in ["#### `[route.files]`", "#### `[route.params.NAME]`", "#### `[[upstream.NAME.servers]]`"] {
        assert!(text.lines().any(|line| line == head), "{head}");
    }
}

#[test]
fn every_key_is_described() {
    let text = reference();
    let bare: Vec<_> =
        text.lines().filter(|line| line.starts_with("| `") && line.ends_with("|  |")).collect();
    assert!(bare.is_empty(), "{bare:?}");
    let typeless: Vec<_> =
        text.lines().filter(|line| line.starts_with("| `") && line.contains("` |  | ")).collect();
    assert!(typeless.is_empty(), "{typeless:?}");
}

#[test]
fn the_schema_knows_no_null_and_no_further_keys() {
    let schema = schema();
    assert!(!schema.to_string().contains("\"null\""), "{schema:#}");
    assert_eq!(schema["additionalProperties"], false);
}
