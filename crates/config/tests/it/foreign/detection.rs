//! Which system a file belongs to.

use std::path::{Path, PathBuf};

use remuda_config::foreign::{Format, ImportError, ImportOptions, detect, import, import_texts};

fn format(path: &str, text: &str) -> Format {
    detect(Path::new(path), text)
}

#[test]
fn a_name_that_says_it_decides() {
    assert_eq!(format("x/remuda.toml", "web: run"), Format::Remuda);
    assert_eq!(format("circus.ini", ""), Format::Circus);
    assert_eq!(format("Procfile.dev", ""), Format::Procfile);
    assert_eq!(format("www@.socket", ""), Format::SystemdSocket);
    assert_eq!(format("www@1.service", ""), Format::SystemdService);
}

#[test]
fn any_other_name_leaves_it_to_the_content() {
    assert_eq!(format("shop.conf", "; old\n[watcher:web]\ncmd = x\n"), Format::Circus);
    assert_eq!(format("shop.conf", "[Unit]\n[Socket]\nListenStream=1\n"), Format::SystemdSocket);
    assert_eq!(format("shop", "[Service]\nExecStart=/x\n"), Format::SystemdService);
    assert_eq!(format("shop", "# all\nweb: ./web\nwork_er: ./work\n"), Format::Procfile);
    assert_eq!(format("shop", "[service.web]\ncommand = \"x\"\n"), Format::Remuda);
    assert_eq!(format("shop", ""), Format::Remuda);
}

#[test]
fn only_units_come_in_several_files() {
    let given = [("Procfile", "web: x"), ("circus.ini", "[circus]")]
        .map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    let why = import_texts(&given, &ImportOptions::default()).unwrap_err();
    assert_eq!(
        why.to_string(),
        "circus.ini cannot be imported together with Procfile: only systemd units come in several files"
    );
}

#[test]
fn a_native_file_and_a_missing_one_are_refused() {
    let native = [(PathBuf::from("remuda.toml"), String::new())];
    assert!(matches!(import_texts(&native, &ImportOptions::default()), Err(ImportError::Native(_))));
    assert!(matches!(import_texts(&[], &ImportOptions::default()), Err(ImportError::Nothing)));
    let missing = import(&[PathBuf::from("/nonexistent/Procfile")], &ImportOptions::default());
    assert!(matches!(missing, Err(ImportError::Read { .. })));
}
