//! Proposals for folders.

use std::path::Path;

use remuda_config::init::{InitError, Proposal, propose};

fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    folder
}

/// The proposal for a folder with these files, which must be a valid config.
fn proposal(files: &[(&str, &str)]) -> Proposal {
    let proposal = propose(folder(files).path()).unwrap();
    super::assert_loads(&proposal.toml, Path::new("/srv/remuda.toml"));
    proposal
}

fn command(files: &[(&str, &str)]) -> String {
    let text = proposal(files).toml;
    text.lines().find_map(|line| line.strip_prefix("command = ")).unwrap().trim_matches('"').to_owned()
}

#[test]
fn a_django_site_is_served_by_gunicorn_under_its_projects_name() {
    let files = [("manage.py", ""), ("shop/wsgi.py", ""), ("blog/views.py", "")];
    insta::assert_snapshot!(proposal(&files).toml, @r#"
    # Proposed by `remuda init`: manage.py is there, so it is a Django site.
    # `remuda check` explains it, `remuda up` runs it.

    [socket.web]
    # Bound once, and open as long as the arbiter lives: no reload loses a connection.
    listen = "127.0.0.1:8000"

    [service.web]
    command = "gunicorn --workers 1 --bind fd://$(socket.web) shop.wsgi"
    sockets = ["web"]
    workers = 2
    "#);
    assert_eq!(command(&[("manage.py", "")]), "gunicorn --workers 1 --bind fd://$(socket.web) PROJECT.wsgi");
}

#[test]
fn python_applications_are_found_by_what_they_say() {
    assert_eq!(command(&[("main.py", "api = FastAPI()\n")]), "uvicorn --fd $(socket.web) main:api");
    assert_eq!(
        command(&[("app.py", "from flask import Flask\napplication: Flask = Flask(__name__)\n")]),
        "gunicorn --workers 1 --bind fd://$(socket.web) app:application"
    );
    let declared = [("app.py", ""), ("requirements.txt", "Flask==3\n")];
    assert_eq!(command(&declared), "gunicorn --workers 1 --bind fd://$(socket.web) app:app");
    let declared = [("main.py", ""), ("pyproject.toml", "dependencies = [\"uvicorn\"]\n")];
    assert_eq!(command(&declared), "uvicorn --fd $(socket.web) main:app");
    assert_eq!(command(&[("app.py", "print('x')")]), "python3 -u app.py");
}

#[test]
fn node_runs_its_start_script_without_npm_where_it_can() {
    assert_eq!(command(&[("package.json", r#"{"scripts": {"start": "node ./srv.js"}}"#)]), "node ./srv.js");
    assert_eq!(command(&[("package.json", r#"{"scripts": {"start": "next start && x"}}"#)]), "npm start");
    assert_eq!(command(&[("package.json", r#"{"main": "lib/index.js"}"#)]), "node lib/index.js");
    assert_eq!(command(&[("package.json", "{}"), ("server.js", "")]), "node server.js");
}

#[test]
fn other_languages_and_plain_pages_are_known() {
    assert_eq!(command(&[("config.ru", "")]), "bundle exec puma --bind-to-activated-sockets only");
    assert_eq!(command(&[("Cargo.toml", "[package]\nname = \"shop\"\n")]), "./target/release/shop");
    assert_eq!(command(&[("go.mod", "module example.org/shop\n")]), "./shop");
    assert_eq!(command(&[("index.html", "")]), "python3 -m http.server --bind 127.0.0.1 8000");
}

#[test]
fn an_unknown_folder_gets_a_skeleton_that_loads() {
    let proposal = proposal(&[("notes.txt", "")]);
    assert!(proposal.why.contains("nothing"));
    insta::assert_snapshot!(proposal.toml, @r#"
    # Proposed by `remuda init`: replace the command by your own.
    # `remuda check` explains the file, `remuda up` runs it.

    [socket.web]
    # Also "[::]:80", "unix:/run/site.sock", "udp:0.0.0.0:53".
    listen = "127.0.0.1:8000"

    [service.web]
    # The worker finds the socket as descriptor 3: $(socket.web) is its number, LISTEN_FDS and its like are set as well.
    command = "./server --fd $(socket.web)"
    sockets = ["web"]
    workers = 2
    # When a worker is ready to serve: "notify" (sd_notify), "http:/healthz", "log:REGEX" …
    # ready = "notify"
    # user = "www-data"
    # stop = { signal = "TERM", timeout = "30s" }
    "#);
}

#[test]
fn a_folder_with_a_config_is_left_alone() {
    let there = folder(&[("remuda.toml", ""), ("manage.py", "")]);
    assert!(matches!(propose(there.path()), Err(InitError::Exists(_))));
    let foreign = folder(&[("Procfile", ""), ("manage.py", "")]);
    let why = propose(foreign.path()).unwrap_err().to_string();
    assert!(why.contains("remuda import Procfile"), "{why}");
    let units = folder(&[("a.socket", ""), ("a.service", "")]);
    let why = propose(units.path()).unwrap_err().to_string();
    assert!(why.contains("remuda up a.service a.socket"), "{why}");
    assert!(matches!(propose(Path::new("/nonexistent")), Err(InitError::Folder { .. })));
}
