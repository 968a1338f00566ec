//! Variables: of the surroundings, of files, of workers.

use std::fs;
use std::path::Path;

use remuda_config::env_file::parse;
use remuda_config::{Loaded, Report, load};

use crate::support::{mistakes, service, surroundings};

fn variable(written: &str) -> String {
    let spec = service(&format!("[service.a]\ncommand = \"a\"\n[service.a.env]\nX = {written}\n"));
    spec.environment.variables["X"].clone()
}

#[test]
fn variables_are_filled_in_when_the_file_is_read() {
    assert_eq!(variable(r#""${PORT}""#), "8080");
    assert_eq!(variable(r#""a${PORT}b${HOME}""#), "a8080b/home/ann");
    assert_eq!(variable(r#""${NOPE:-fallback}""#), "fallback");
    assert_eq!(variable(r#""${EMPTY:-fallback}""#), "fallback");
    assert_eq!(variable(r#""${EMPTY}""#), "");
    assert_eq!(variable(r#""${NOPE:-}""#), "");
    assert_eq!(variable(r#""$$PORT costs 5$""#), "$PORT costs 5$");
    assert_eq!(variable(r#""$(slot) $$(slot)""#), "$(slot) $$(slot)");
}

#[test]
fn variables_reach_keys_of_every_type_of_text() {
    let spec = service("[service.a]\ncommand = [\"a\", \"${PORT}\"]\nready_timeout = \"${NOPE:-5}s\"\n");
    assert_eq!(spec.command.argv, ["a", "8080"]);
    assert_eq!(spec.ready_timeout.as_secs(), 5);
}

#[test]
fn numbers_and_flags_are_variables_too() {
    assert_eq!([variable("8080"), variable("true"), variable("1.5")], ["8080", "true", "1.5"]);
}

#[test]
fn a_variable_that_is_not_set_is_pointed_at() {
    insta::assert_snapshot!(mistakes("[service.a]\ncommand = \"run --key ${API_KEY} --port ${1}\"\ndirectory = \"${HOME\"\n"), @r#"
    error: the variable API_KEY is not set, and ${API_KEY} has no default
     --> /srv/shop/remuda.toml:2:22
      |
    2 | command = "run --key ${API_KEY} --port ${1}"
      |                      ^^^^^^^^^^
      |
      = help: set it, or write ${API_KEY:-default}

    error: ${1} is not a variable: a name consists of letters, digits and '_'
     --> /srv/shop/remuda.toml:2:40
      |
    2 | command = "run --key ${API_KEY} --port ${1}"
      |                                        ^^^^
      |
      = help: write $$ for a plain $

    error: ${HOME lacks its closing brace
     --> /srv/shop/remuda.toml:3:14
      |
    3 | directory = "${HOME"
      |              ^^^^^^
      |
      = help: write $$ for a plain $
    "#);
}

#[test]
fn a_file_of_variables_has_quotes_comments_and_export() {
    let text = "# comment\n\nA=1\nexport B = two words # not this\nC='single $x \\n'\nD=\"line\\n\\\"q\\\" \\$\" # c\nE=\nF=a#b\nG=\"two\nlines\"\r\nH='it'\r\n";
    let (variables, errors) = parse(text);
    assert_eq!(errors, []);
    let expected = [
        ("A", "1"),
        ("B", "two words"),
        ("C", "single $x \\n"),
        ("D", "line\n\"q\" $"),
        ("E", ""),
        ("F", "a#b"),
        ("G", "two\nlines"),
        ("H", "it"),
    ];
    assert_eq!(variables, expected.map(|(name, value)| (name.to_owned(), value.to_owned())));
}

fn load_in(folder: &Path, toml: &str) -> Result<Loaded, Report> {
    let path = folder.join("remuda.toml");
    fs::write(&path, toml).expect("a temporary file");
    load(&path, &surroundings())
}

const FILES: &str = "[service.a]\ncommand = \"a\"\nenv_files = [\"one.env\", \"-missing.env\", \"two.env\"]\n[service.a.env]\nC = \"table\"\n";

#[test]
fn later_files_win_and_the_table_wins_over_all() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("one.env"), "A=one\nB=one\nC=one\nD=$(slot)\n").expect("a temporary file");
    fs::write(folder.path().join("two.env"), "B=two\n").expect("a temporary file");
    let loaded = load_in(folder.path(), FILES).expect("a config");
    let variables = &loaded.config.services["a"].environment.variables;
    let values: Vec<_> = variables.iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(values, ["A=one", "B=two", "C=table", "D=$$(slot)"]);
    assert_eq!(loaded.sources.len(), 3);
    let masked: Vec<_> = loaded.masked.iter().map(|(_, name)| name.as_str()).collect();
    assert_eq!(masked, ["A", "B", "D"]);
}

#[test]
fn mistakes_in_files_of_variables_are_pointed_at() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("two.env"), "OK=1\nnot a variable\n2ND=x\nQ=\"open\n")
        .expect("a temporary file");
    let report = load_in(folder.path(), FILES).expect_err("mistakes");
    let text = report.to_string().replace(&folder.path().display().to_string(), "FOLDER");
    insta::assert_snapshot!(text, @r#"
    error: the variables of FOLDER/one.env cannot be read: No such file or directory (os error 2)
     --> FOLDER/remuda.toml:3:14
      |
    3 | env_files = ["one.env", "-missing.env", "two.env"]
      |              ^^^^^^^^^
      |
      = help: create it, or write "-one.env" if it may be missing

    error: "not a variable" is not a variable: write KEY=value
     --> FOLDER/two.env:2:1
      |
    2 | not a variable
      | ^^^^^^^^^^^^^^

    error: "2ND" is not the name of a variable: it consists of letters, digits and '_', and does not begin with a digit
     --> FOLDER/two.env:3:1
      |
    3 | 2ND=x
      | ^^^

    error: the quote that begins here is not closed
     --> FOLDER/two.env:4:3
      |
    4 | Q="open
      |   ^
    "#);
}

#[test]
fn a_file_of_variables_that_is_no_file_is_not_waited_for() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::write(folder.path().join("one.env"), "").expect("a temporary file");
    fs::create_dir(folder.path().join("two.env")).expect("a temporary folder");
    let report = load_in(folder.path(), FILES).expect_err("a folder is no file");
    assert!(report.to_string().contains("it is not a regular file"), "{report}");
}
