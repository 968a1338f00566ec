//! `remuda serve`: one line, and a folder is on the web.

use std::process::{Child, Stdio};

use rustix::process::Signal;

use crate::harness::{Setup, http, process, run::run, until};

/// The arbiter; a failed test ends it.
struct Serving(Child);

impl Drop for Serving {
    fn drop(&mut self) {
        if std::thread::panicking() {
            process::signal(self.0.id(), Signal::TERM);
            let _ended = self.0.wait();
        }
    }
}

#[test]
fn a_folder_is_on_the_web_in_one_line() {
    let setup = Setup::empty();
    setup.write("page.html", "<p>hello");
    let socket = setup.dir().join("web.sock");
    let listen = format!("unix:{}", socket.display());
    let mut command = setup.marked(env!("CARGO_BIN_EXE_remuda"));
    command.args(["serve", ".", "--list", "--workers", "2", "--listen", &listen, "--instance", setup.name()]);
    command.env("XDG_RUNTIME_DIR", setup.dir()).stdin(Stdio::null()).stdout(Stdio::null());
    let mut serving = Serving(command.spawn().unwrap());
    until("an answer", || http::get(&listen, "/page.html").is_ok_and(|answer| answer.body == "<p>hello"));
    let listing = http::get(&listen, "/").unwrap();
    assert!(listing.body.contains("<a href=\"./page.html\">page.html</a>"), "{listing:?}");
    let mut status = setup.marked(env!("CARGO_BIN_EXE_remuda"));
    status.args(["--instance", setup.name(), "status"]).env("XDG_RUNTIME_DIR", setup.dir());
    let said = run(status);
    assert!(said.code == 0 && said.out.contains("files"), "{said:?}");
    process::signal(serving.0.id(), Signal::TERM);
    assert!(serving.0.wait().unwrap().success());
    assert!(process::marked(setup.dir()).is_empty());
}

#[test]
fn what_is_no_folder_is_not_served() {
    let setup = Setup::empty();
    let said = run(setup.command(&["serve", "nowhere"]));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is no folder; there is nothing to serve"), "{said:?}");
}
