//! The file of a Unix socket, which a worker that stops removes as if it were its own.

use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use remuda_model::EventKind;
use rustix::process::Signal;

use crate::harness::load::Load;
use crate::harness::succession::Way;
use crate::harness::{Instance, Setup, http, process, until};

/// Gunicorn that opens the listener by its number: it takes the path for its own.
const GUNICORN: &str = "command = \"@VENV@/gunicorn --bind fd://$(socket.web) --chdir @WORKERS@ wsgi_app:app\"\n\
                        ready = \"notify\"";
const QUIET: &str = "command = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"";

fn config(service: &str) -> String {
    format!("[socket.web]\nlisten = \"unix:web.sock\"\n[service.web]\nsockets = [\"web\"]\n{service}\n")
}

fn path(instance: &Instance) -> PathBuf {
    instance.dir().join("web.sock")
}

/// Names in the folder of the socket that are sockets.
fn sockets(folder: &Path) -> Vec<String> {
    let all = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let sockets = all.filter(|entry| entry.file_type().unwrap().is_socket());
    let mut names: Vec<String> = sockets.map(|entry| entry.file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::symlink_metadata(path).ok().map(|status| status.ino())
}

/// Waits until the path leads to `inode` again.
fn back(path: &Path, wanted: u64) {
    until("the socket's file", || inode(path) == Some(wanted));
}

/// How often `words` were told.
fn told(instance: &Instance, words: &str) -> usize {
    let is = |kind: &EventKind| matches!(kind, EventKind::Trouble { message } if message.contains(words));
    instance.events().iter().filter(|record| is(&record.event.kind)).count()
}

/// Seldom enough to take no processor from those who are watched.
const PEEK: Duration = Duration::from_micros(50);

/// Looks at a path every [`PEEK`], and notes for how long it was away each time.
struct Watcher {
    stop: Sender<()>,
    looking: JoinHandle<Vec<Duration>>,
}

impl Watcher {
    fn start(path: &Path) -> Self {
        let (stop, stopped) = channel();
        let path = path.to_owned();
        let looking = std::thread::spawn(move || {
            let mut gaps = Vec::new();
            let mut since: Option<Instant> = None;
            while stopped.recv_timeout(PEEK) == Err(RecvTimeoutError::Timeout) {
                match (std::fs::symlink_metadata(&path).is_ok(), since) {
                    (false, None) => since = Some(Instant::now()),
                    (true, Some(begun)) => {
                        gaps.push(begun.elapsed());
                        since = None;
                    }
                    (true, None) | (false, Some(_)) => {}
                }
            }
            gaps.extend(since.map(|begun| begun.elapsed()));
            gaps
        });
        Self { stop, looking }
    }

    fn finish(self) -> Vec<Duration> {
        drop(self.stop);
        self.looking.join().unwrap()
    }
}

#[test]
fn five_reloads_of_gunicorn_leave_the_path_of_its_socket_where_it_is() {
    let mut instance = Instance::up(&config(&format!("workers = 2\n{GUNICORN}")));
    let (path, address) = (path(&instance), instance.address("web"));
    let bound = inode(&path).unwrap();
    let watcher = Watcher::start(&path);
    let load = Load::start(&address);
    for _ in 0..5 {
        instance.remuda(&["reload", "web"]).done();
    }
    let account = load.finish();
    let gaps = watcher.finish();
    let failed = account.failures.len();
    eprintln!(
        "{} requests answered, {failed} failed: {:?}; gaps: {gaps:?}",
        account.answered, account.failures
    );
    assert_eq!(inode(&path), Some(bound), "it is the socket that was bound");
    // Each of ten masters removed the file; a request in between finds nothing there. Without the file all would fail.
    assert!(
        account.answered > 100 && failed * 20 < account.answered,
        "{failed} failed: {:?}",
        account.failures
    );
    assert!(account.failures.iter().all(|failure| failure.contains("os error 2")), "{:?}", account.failures);
    assert_eq!(told(&instance, "was removed"), 1, "told once, however often it happens");
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert_eq!(sockets(instance.dir()), [] as [&str; 0]);
    instance.assert_nothing_left();
}

#[test]
fn whatever_a_server_does_with_the_file_when_it_stops_the_path_leads_to_the_socket() {
    let servers = [
        ("gunicorn", GUNICORN),
        (
            "gunicorn by LISTEN_FDS",
            "command = \"@VENV@/gunicorn --chdir @WORKERS@ wsgi_app:app\"\nready = \"notify\"",
        ),
        (
            "uvicorn",
            "command = \"@VENV@/uvicorn --fd $(socket.web) --app-dir @WORKERS@ asgi_app:app\"\n\
             ready = \"log:Application startup complete\"",
        ),
        ("waitress", "command = \"@PYTHON@ @WORKERS@/waitress_fd.py\"\nready = \"log:Serving on\""),
        ("node", "command = \"node @WORKERS@/node_fd.js\"\nready = \"log:listening on fd 3\""),
    ];
    for (server, service) in servers {
        let instance = Instance::up(&config(service));
        let (path, address) = (path(&instance), instance.address("web"));
        let bound = inode(&path).unwrap();
        for verb in ["reload", "restart", "stop", "start"] {
            instance.remuda(&[verb, "web"]).done();
            back(&path, bound);
        }
        assert_eq!(http::get(&address, "/").unwrap().status, 200, "{server}");
        eprintln!("{server}: put back {:?} times", instance.status().sockets[0].file_put_back);
        instance.end();
    }
}

#[test]
fn a_server_that_removes_the_file_and_shuts_the_listener_down_too_leaves_a_path_that_is_served() {
    let instance = Instance::up(&config(
        "command = \"@VENV@/twistd --nodaemon --pidfile= web --listen systemd:domain=UNIX:index=0 --wsgi wsgi_app.app\"\n\
         directory = \"@DIR@\"\nready = \"log:Site starting on\"\nenv = { PYTHONPATH = \"@WORKERS@\" }",
    ));
    let (path, address) = (path(&instance), instance.address("web"));
    for _ in 0..2 {
        let bound = inode(&path).unwrap();
        instance.remuda(&["stop", "web"]).done();
        until("another socket", || inode(&path).is_some_and(|inode| inode != bound));
        instance.remuda(&["start", "web"]).done();
        // Its WSGI does not work on Unix sockets; that it answers is enough.
        http::get(&address, "/").unwrap();
    }
    instance.end();
}

#[test]
fn a_file_that_somebody_removes_or_renames_is_put_back_and_counted() {
    let instance = Instance::up(&config(QUIET));
    let (path, address) = (path(&instance), instance.address("web"));
    let bound = inode(&path).unwrap();
    assert_eq!(sockets(instance.dir()), [".web.sock.remuda", "web.sock"]);
    let put_back = || instance.status().sockets[0].file_put_back;
    assert_eq!(put_back(), Some(0));
    for _ in 0..3 {
        std::fs::remove_file(&path).unwrap();
        back(&path, bound);
        http::get(&address, "/").unwrap();
    }
    std::fs::rename(&path, path.with_extension("old")).unwrap();
    back(&path, bound);
    http::get(&address, "/").unwrap();
    assert_eq!(put_back(), Some(4));
    let metrics = instance.remuda(&["metrics"]).done().out;
    assert!(metrics.contains("remuda_socket_file_put_back_total{socket=\"web\"} 4"), "{metrics}");
    assert_eq!(told(&instance, "was removed (workers of web have it) and is put back"), 1);

    // What else happens in the folder wakes nobody.
    let (stop, stopped) = channel::<()>();
    let folder = instance.dir().to_owned();
    let busy = std::thread::spawn(move || {
        while stopped.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
            std::fs::write(folder.join("other"), "x").unwrap();
            std::fs::remove_file(folder.join("other")).unwrap();
        }
    });
    process::falls_asleep(instance.pid());
    drop(stop);
    busy.join().unwrap();
    instance.end();
}

#[test]
fn a_file_that_went_while_nobody_was_there_is_put_back_by_the_next_arbiter() {
    for way in Way::ALL {
        let mut instance = Instance::up(&config(QUIET));
        let (path, address) = (path(&instance), instance.address("web"));
        let (bound, pids) = (inode(&path).unwrap(), instance.pids("web"));
        instance.succeed(way);
        std::fs::remove_file(&path).unwrap();
        back(&path, bound);
        instance.kill_arbiter();
        std::fs::remove_file(&path).unwrap();
        instance.again();
        back(&path, bound);
        instance.remuda(&["stop", "web"]).done();
        std::fs::remove_file(&path).unwrap();
        back(&path, bound);
        instance.remuda(&["start", "web"]).done();
        assert_ne!(http::get(&address, "/").unwrap().pid(), pids[0]);
        assert_eq!(sockets(instance.dir()), [".web.sock.remuda", "web.sock"], "{way:?}");
        instance.end();
    }
}

#[test]
fn another_file_that_somebody_put_at_the_path_is_left_alone_until_it_is_gone() {
    let instance = Instance::up(&config(QUIET));
    let (path, address) = (path(&instance), instance.address("web"));
    let bound = inode(&path).unwrap();
    let beside = path.with_extension("new");
    let theirs = UnixListener::bind(&beside).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    instance.wait_event("the stranger", |event| {
        matches!(&event.kind, EventKind::Trouble { message } if message.contains("put another file at"))
    });
    instance.remuda(&["restart", "web"]).done();
    assert_ne!(inode(&path).unwrap(), bound);
    let _client = UnixStream::connect(&path).unwrap();
    theirs.accept().unwrap();
    drop(theirs);
    std::fs::remove_file(&path).unwrap();
    back(&path, bound);
    http::get(&address, "/").unwrap();
    assert_eq!(told(&instance, "put another file at"), 1);
    instance.end();
}

#[test]
fn a_socket_that_is_no_longer_wanted_leaves_no_name_and_one_that_comes_has_its_own() {
    let setup = Setup::new(&config(QUIET));
    let instance = setup.up();
    instance.settled();
    instance.configure(&config(QUIET).replace("web.sock", "other.sock"));
    instance.remuda(&["apply"]).done();
    until("the old socket to be gone", || sockets(instance.dir()) == [".other.sock.remuda", "other.sock"]);
    let other = instance.dir().join("other.sock");
    let bound = inode(&other).unwrap();
    std::fs::remove_file(&other).unwrap();
    back(&other, bound);
    http::get(&instance.address("web"), "/").unwrap();
    instance.end();
}

#[test]
fn a_file_that_is_lost_with_its_spare_is_bound_anew_and_the_workers_are_replaced() {
    let instance = Instance::up(&config(GUNICORN));
    let (path, address) = (path(&instance), instance.address("web"));
    let (bound, pids) = (inode(&path).unwrap(), instance.pids("web"));
    let spare = instance.dir().join(".web.sock.remuda");
    std::fs::remove_file(&spare).unwrap();
    until("another spare", || inode(&spare) == Some(bound));
    instance.signal(Signal::STOP);
    std::fs::remove_file(&spare).unwrap();
    std::fs::remove_file(&path).unwrap();
    instance.signal(Signal::CONT);
    instance.wait_event("the reload", |event| matches!(event.kind, EventKind::ReloadDone { .. }));
    assert_eq!(told(&instance, "it is bound anew"), 1);
    until("the new socket's file", || inode(&path).is_some());
    assert_ne!(inode(&path), Some(bound));
    assert!(!pids.contains(&http::get(&address, "/").unwrap().pid()));
    assert_eq!(sockets(instance.dir()), [".web.sock.remuda", "web.sock"]);
    instance.end();
}

#[test]
fn names_that_a_dead_instance_left_are_replaced_and_a_strangers_file_at_the_spare_name_is_not() {
    let setup = Setup::new(&config(QUIET));
    drop(UnixListener::bind(setup.dir().join("web.sock")).unwrap());
    drop(UnixListener::bind(setup.dir().join(".web.sock.remuda")).unwrap());
    let instance = setup.up();
    instance.settled();
    let (path, spare) = (path(&instance), instance.dir().join(".web.sock.remuda"));
    until("the spare", || inode(&spare).is_some() && inode(&spare) == inode(&path));
    instance.end();

    let setup = Setup::new(&config(QUIET));
    let precious = setup.write(".web.sock.remuda", "precious");
    let instance = setup.up();
    instance.wait_event(
        "the trouble",
        |event| matches!(&event.kind, EventKind::Trouble { message } if message.contains("keep a spare")),
    );
    instance.settled();
    http::get(&instance.address("web"), "/").unwrap();
    assert_eq!(std::fs::read_to_string(precious).unwrap(), "precious");
    instance.end();
}

#[test]
fn behind_a_gateway_no_request_notices_that_the_file_was_away() {
    let instance = Instance::up(&format!(
        "{}\n[socket.http]\nlisten = \"127.0.0.1:0\"\n[service.edge]\nkind = \"gateway\"\nsockets = [\"http\"]\n\
         [[route]]\nto = \"service:web\"\n",
        config(&format!("workers = 2\n{GUNICORN}"))
    ));
    let (path, edge) = (path(&instance), instance.address("http"));
    let bound = inode(&path).unwrap();
    let load = Load::start(&edge);
    for _ in 0..3 {
        instance.remuda(&["reload", "web"]).done();
    }
    load.finish().none_failed();
    for _ in 0..20 {
        let mut connection = http::connect(&edge).unwrap();
        instance.signal(Signal::STOP);
        std::fs::remove_file(&path).unwrap();
        http::send(&mut *connection, "GET", "/", "").unwrap();
        instance.signal(Signal::CONT);
        let answer = http::answer(&mut *connection).unwrap();
        assert_eq!(answer.status, 200, "{answer:?}");
        back(&path, bound);
    }
    instance.end();
}
