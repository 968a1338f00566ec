//! Procfiles.

use remuda_config::foreign::{Formation, ImportError, ImportOptions, import_texts};

use super::{import_text, options, told};

#[test]
fn each_type_has_its_port_and_each_slot_the_next_one() {
    let imported = import_text("Procfile", "web: ./web -p $PORT\nworker: ./work\n").unwrap();
    let text = imported.text();
    assert!(text.contains("[service.web.env]\nPORT = \"$(slot+5000)\""), "{text}");
    assert!(text.contains("[service.worker.env]\nPORT = \"$(slot+5100)\""), "{text}");
}

#[test]
fn a_simple_command_replaces_its_shell_and_others_are_stopped_as_a_group() {
    let imported = import_text("Procfile", "a: ./a -x\nb: ./b | tee log\nc: X=1 ./c\n").unwrap();
    let text = told(&imported);
    assert!(text.contains(r#"command = ["/bin/sh", "-c", "exec ./a -x"]"#), "{text}");
    assert!(text.contains(r#"command = ["/bin/sh", "-c", "./b | tee log"]"#), "{text}");
    assert!(text.contains(r#"command = ["/bin/sh", "-c", "X=1 ./c"]"#), "{text}");
    assert_eq!(text.matches("group").count(), 2, "{text}");
}

#[test]
fn a_formation_sets_the_workers_of_the_types_it_names() {
    let formation: Formation = "all=3, web=2".parse().unwrap();
    assert_eq!((formation.workers("web"), formation.workers("worker")), (2, 3));
    assert!("web".parse::<Formation>().is_err());
    assert!("web=many".parse::<Formation>().is_err());
    assert!("=1".parse::<Formation>().is_err());
}

#[test]
fn a_formation_for_a_type_that_is_not_there_is_refused() {
    let options = ImportOptions { formation: "wen=2".parse().unwrap(), ..options() };
    let given = [("Procfile".into(), "web: ./web\n".to_owned())];
    let Err(ImportError::Refused(report)) = import_texts(&given, &options) else { panic!("accepted") };
    insta::assert_snapshot!(report, @r#"error: Procfile: has no process type "wen" to give workers to; it has web"#);
}
