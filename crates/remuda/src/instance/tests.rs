//! Where an arbiter is looked for, and what is said when there is none.

use std::path::{Path, PathBuf};

use remuda_control::ClientError;

use super::{candidates, key_of_instance, named, of_variable, only, runtime_root};
use crate::exit::Exit;

#[test]
fn the_runtime_root_depends_on_who_asks() {
    assert_eq!(runtime_root(0, Some("/run/user/0".into())), Path::new("/run/remuda"));
    assert_eq!(runtime_root(7, Some("/run/user/7".into())), Path::new("/run/user/7/remuda"));
    assert_eq!(runtime_root(7, Some("relative".into())), Path::new("/tmp/remuda-7"));
    assert_eq!(runtime_root(7, None), Path::new("/tmp/remuda-7"));
}

#[tokio::test]
async fn nobody_running_is_exit_3_and_names_what_was_tried() {
    let folder = tempfile::tempdir().unwrap();
    let failure = named(folder.path(), "hello").await.unwrap_err();
    assert_eq!(failure.exit, Exit::NotRunning);
    let path = folder.path().join("hello/control.sock");
    let message =
        format!("no remuda runs as instance hello (tried {}: No such file or directory)", path.display());
    assert_eq!(failure.message, message);
    assert_eq!(only(folder.path()).await.unwrap_err().exit, Exit::NotRunning);
    assert_eq!(named(folder.path(), "../x").await.unwrap_err().exit, Exit::Misuse);
}

#[test]
fn a_socket_of_the_environment_that_nobody_serves_names_the_variable() {
    let source = std::io::Error::from(std::io::ErrorKind::NotFound);
    let failure = of_variable(ClientError::NotRunning { path: "/gone".into(), source });
    assert_eq!(failure.exit, Exit::NotRunning);
    assert!(failure.message.contains("/gone") && failure.message.contains("REMUDA_SOCKET"), "{failure}");
    assert!(failure.hint.is_some_and(|hint| hint.contains("unset REMUDA_SOCKET")));
}

#[test]
fn a_broken_file_still_tells_its_name() {
    let text = "[service.web]\nname = \"no\"\n[remuda]\nname='shop' # ours\nruntime_dir = \"${X}/r\"\n= =\n";
    assert_eq!(key_of_instance(text, "name"), Some("shop"));
    assert_eq!(key_of_instance(text, "runtime_dir"), None, "a variable has to be resolved first");
    assert_eq!(key_of_instance("name = \"outside\"", "name"), None);
}

#[test]
fn folders_without_a_socket_are_no_candidates() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["b", "a", "c"] {
        std::fs::create_dir(folder.path().join(name)).unwrap();
    }
    for name in ["b", "a"] {
        std::fs::write(folder.path().join(name).join("control.sock"), "").unwrap();
    }
    assert_eq!(candidates(folder.path()), ["a", "b"]);
    assert_eq!(candidates(&PathBuf::from("/nonexistent")), Vec::<String>::new());
}
