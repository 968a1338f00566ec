//! Whole files, compared with the text they are known to become. `REMUDA_BLESS=1` writes that text anew.

use remuda_config::foreign::ImportOptions;

use super::{fixture, import_fixtures, options};

fn assert_becomes(expected: &str, sources: &[&str], options: &ImportOptions) {
    let text = import_fixtures(sources, options).to_toml();
    let path = fixture(expected);
    if std::env::var_os("REMUDA_BLESS").is_some() {
        std::fs::write(&path, &text).unwrap();
    }
    let known = std::fs::read_to_string(&path).unwrap();
    assert_eq!(
        known,
        text,
        "{} is stale: run with REMUDA_BLESS=1 and look at the difference",
        path.display()
    );
}

#[test]
fn a_circus_file_with_an_include_becomes_a_native_one() {
    assert_becomes("circus/expected.toml", &["circus/circus.ini"], &options());
}

#[test]
fn a_procfile_with_an_env_file_becomes_a_native_one() {
    let options = ImportOptions { formation: "web=2".parse().unwrap(), ..options() };
    assert_becomes("procfile/expected.toml", &["procfile/Procfile"], &options);
}

#[test]
fn four_instances_of_a_template_become_four_slots() {
    let options = ImportOptions { instances: Some(4), ..options() };
    assert_becomes("systemd/www.expected.toml", &["systemd/www@.socket", "systemd/www@.service"], &options);
}

#[test]
fn a_socket_and_its_service_after_another_become_a_native_file() {
    assert_becomes(
        "systemd/shop.expected.toml",
        &["systemd/shop.socket", "systemd/migrate.service"],
        &options(),
    );
}
