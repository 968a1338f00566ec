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
    let mut upgrade = setup.marked(env!("CARGO_BIN_EXE_remuda"));
    upgrade.args(["--instance", setup.name(), "upgrade"]).env("XDG_RUNTIME_DIR", setup.dir());
    run(upgrade).done();
    assert_eq!(http::get(&listen, "/page.html").unwrap().body, "<p>hello");
    process::signal(serving.0.id(), Signal::TERM);
    assert!(serving.0.wait().unwrap().success());
    assert!(process::marked(setup.dir()).is_empty());
}

#[test]
fn servers_at_any_free_port_do_not_stand_in_each_others_way() {
    let setup = Setup::empty();
    let serve = || {
        let mut command = setup.marked(env!("CARGO_BIN_EXE_remuda"));
        command.args(["serve", ".", "--listen", "127.0.0.1:0"]);
        command.env("XDG_RUNTIME_DIR", setup.dir()).stdin(Stdio::null()).stdout(Stdio::null());
        Serving(command.spawn().unwrap())
    };
    let mut both = [serve(), serve()];
    let answers = |serving: &Serving| {
        let mut status = setup.marked(env!("CARGO_BIN_EXE_remuda"));
        let name = format!("serve-any-{}", serving.0.id());
        status.args(["--instance", &name, "status"]).env("XDG_RUNTIME_DIR", setup.dir());
        run(status).code == 0
    };
    until("both", || both.iter().all(answers));
    for serving in &mut both {
        process::signal(serving.0.id(), Signal::TERM);
        assert!(serving.0.wait().unwrap().success());
    }
}

#[test]
fn what_is_no_folder_is_not_served() {
    let setup = Setup::empty();
    let said = run(setup.command(&["serve", "nowhere"]));
    assert_eq!(said.code, 2);
    assert!(said.err.contains("is no folder; there is nothing to serve"), "{said:?}");
}

#[test]
fn what_cannot_be_served_so_is_told_with_what_to_write() {
    let setup = Setup::empty();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    for (arguments, code, words) in [
        (["--listen", "foo"], 2, "write 8081, 0.0.0.0:8081"),
        (["--listen", "70000"], 2, "a port is at most 65535"),
        (["--listen", "udp:127.0.0.1:0"], 2, "HTTP is spoken on TCP"),
        (["--fallback", "/gone.html"], 2, "gone.html; nothing is served"),
        // The port alone is one of 127.0.0.1, where somebody has it.
        (["--listen", &port], 1, "--listen takes another address"),
    ] {
        let said = run(setup.command(&["serve", ".", arguments[0], arguments[1]]));
        assert_eq!(said.code, code, "{arguments:?} {said:?}");
        assert!(said.err.contains(words) && !said.err.contains("remuda.toml"), "{arguments:?} {said:?}");
    }
}
