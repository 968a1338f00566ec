//! Sockets of every kind: bound once, shown as they are, kept while workers come and go.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::net::{TcpListener, UdpSocket};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::Path;

use remuda_model::EventKind;
use remuda_model::view::{self, ServicePhase};
use rustix::process::Signal;

use crate::harness::http::{self, Connection};
use crate::harness::load::{Load, distinct_pids};
use crate::harness::run::run;
use crate::harness::{Instance, PATIENCE, Said, Setup, is_root, process};

const WORKER: &str = "command = \"python3 @WORKERS@/notify_worker.py\"\nready = \"notify\"";

/// A config of one socket with `socket` as its lines, and a service on it with `service` among its lines.
fn config(socket: &str, service: &str) -> String {
    format!("[socket.web]\n{socket}\n[service.web]\nsockets = [\"web\"]\n{WORKER}\n{service}\n")
}

fn find<'view>(view: &'view view::Instance, socket: &str) -> &'view view::Socket {
    view.sockets.iter().find(|candidate| candidate.name.as_str() == socket).unwrap()
}

/// Runs `remuda up` on a setup that it must refuse with 1.
#[track_caller]
fn refused(setup: &Setup) -> Said {
    let said = run(setup.up_command()).exits(1);
    assert!(process::marked(setup.dir()).is_empty());
    assert!(!setup.control().exists(), "nothing is left of a start that failed");
    said
}

#[test]
fn tcp_is_served_on_ipv4_on_ipv6_and_by_name() {
    let mut config = String::new();
    let has_ipv6 = Path::new("/proc/net/if_inet6").exists();
    let addresses = [("four", "127.0.0.1:0"), ("name", "localhost:0"), ("six", "[::1]:0")];
    let addresses = if has_ipv6 { &addresses[..] } else { &addresses[..2] };
    for (name, listen) in addresses {
        config += &format!(
            "[socket.{name}]\nlisten = \"{listen}\"\n[service.{name}]\nsockets = [\"{name}\"]\n{WORKER}\n"
        );
    }
    let instance = Instance::up(&config);
    for (name, _) in addresses {
        let answer = http::get(&instance.address(name), "/").unwrap();
        assert_eq!([answer.pid()], *instance.pids(name));
    }
    instance.end();
}

#[test]
fn a_free_port_is_chosen_once_and_told_and_kept() {
    let instance = Instance::up(&config("listen = \"127.0.0.1:0\"\nbacklog = 77", "workers = 2"));
    let address = instance.address("web");
    assert!(!address.ends_with(":0"), "{address}");
    let bound =
        instance.wait_event("the socket", |event| matches!(event.kind, EventKind::SocketBound { .. }));
    assert!(matches!(bound.event.kind, EventKind::SocketBound { address: told, .. } if told == address));
    let view = instance.status();
    let [listener] = &*find(&view, "web").listeners else { panic!("one for all: {view:#?}") };
    assert_eq!((listener.slot, listener.queue, listener.queue_limit), (None, Some(0), Some(77)));
    instance.remuda(&["restart", "web"]).done();
    instance.remuda(&["reload", "web"]).done();
    assert_eq!(instance.address("web"), address);
    distinct_pids(&address, 2);
    instance.end();
}

#[test]
fn a_port_that_is_taken_is_told_with_its_holder_and_nothing_is_started() {
    let holder = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = holder.local_addr().unwrap();
    let said = refused(&Setup::new(&config(&format!("listen = \"{address}\""), "")));
    assert!(said.err.contains(&address.to_string()), "{}", said.err);
    assert!(said.err.contains(&std::process::id().to_string()), "it names who holds it: {}", said.err);
}

#[test]
fn a_unix_socket_has_its_mode_and_its_file_goes_at_the_end() {
    let instance = Instance::up(&config("listen = \"unix:web.sock\"\nfile_mode = \"0620\"", "workers = 2"));
    let path = instance.dir().join("web.sock");
    assert_eq!(instance.address("web"), format!("unix:{}", path.display()));
    assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o620);
    distinct_pids(&instance.address("web"), 2);
    let inode = std::fs::metadata(&path).unwrap().ino();
    instance.remuda(&["reload", "web"]).done();
    assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode, "it is not bound anew");
    let mut instance = instance;
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert!(!path.exists());
    instance.assert_nothing_left();
}

#[test]
fn the_file_of_a_dead_unix_socket_is_replaced() {
    let setup = Setup::new(&config("listen = \"unix:web.sock\"", ""));
    drop(UnixListener::bind(setup.dir().join("web.sock")).unwrap());
    assert!(setup.dir().join("web.sock").exists());
    let instance = setup.up();
    instance.settled();
    assert_eq!(http::get(&instance.address("web"), "/").unwrap().status, 200);
    instance.end();
}

#[test]
fn a_unix_socket_belongs_to_the_user_and_group_of_the_config() {
    let setup = Setup::new(&config("listen = \"unix:web.sock\"\nuser = \"nobody\"\ngroup = 7", ""));
    if !is_root() {
        assert!(refused(&setup).err.contains("web.sock"));
        return;
    }
    let instance = setup.up();
    instance.settled();
    let file = std::fs::metadata(instance.dir().join("web.sock")).unwrap();
    assert_eq!((file.uid(), file.gid()), (65534, 7));
    instance.end();
}

#[test]
fn a_unix_socket_that_somebody_serves_is_refused_and_left_alone() {
    let setup = Setup::new(&config("listen = \"unix:web.sock\"", ""));
    let path = setup.dir().join("web.sock");
    let _served = UnixListener::bind(&path).unwrap();
    let inode = std::fs::metadata(&path).unwrap().ino();
    let said = refused(&setup);
    assert!(said.err.contains("web.sock"), "{}", said.err);
    assert_eq!(std::fs::metadata(&path).unwrap().ino(), inode);
    assert!(std::os::unix::net::UnixStream::connect(&path).is_ok());
}

#[test]
fn a_file_that_is_no_socket_is_refused_and_left_alone() {
    let setup = Setup::new(&config("listen = \"unix:web.sock\"", ""));
    let path = setup.write("web.sock", "precious");
    let said = refused(&setup);
    assert!(said.err.contains("web.sock"), "{}", said.err);
    assert_eq!(std::fs::read_to_string(path).unwrap(), "precious");
}

#[test]
fn a_unix_socket_that_somebody_else_put_in_its_place_is_not_removed() {
    let mut instance = Instance::up(&config("listen = \"unix:web.sock\"", ""));
    let path = instance.dir().join("web.sock");
    let beside = instance.dir().join("theirs.sock");
    let _theirs = UnixListener::bind(&beside).unwrap();
    std::fs::rename(&beside, &path).unwrap();
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert!(path.exists());
    instance.assert_nothing_left();
}

#[test]
fn an_abstract_unix_socket_is_served() {
    let name = format!("remuda-it-{}-abstract", std::process::id());
    let instance = Instance::up(&config(&format!("listen = \"unix:@{name}\""), "workers = 2"));
    assert_eq!(instance.address("web"), format!("unix:@{name}"));
    distinct_pids(&instance.address("web"), 2);
    instance.end();
}

#[test]
fn datagrams_reach_the_workers_and_wait_for_the_next_one() {
    // Only the first answer of a worker comes by itself, so the next datagram waits for a successor.
    let program = "import os, socket\n\
                   s = socket.socket(fileno=3)\n\
                   while True:\n    \
                       _, asker = s.recvfrom(100); s.sendto(str(os.getpid()).encode(), asker)\n    \
                       open('gate').readline()\n";
    let setup = Setup::new(
        "[socket.dns]\nlisten = \"udp:127.0.0.1:0\"\n\
         [service.dns]\ncommand = \"python3 echo.py\"\nsockets = [\"dns\"]\n",
    );
    setup.write("echo.py", program);
    setup.gate("gate");
    let instance = setup.up();
    instance.settled();
    let address = instance.address("dns");
    let asker = UdpSocket::bind("127.0.0.1:0").unwrap();
    asker.set_read_timeout(Some(PATIENCE)).unwrap();
    asker.connect(address.strip_prefix("udp:").unwrap()).unwrap();
    let answer = || {
        let mut buffer = [0; 100];
        let length = asker.recv(&mut buffer).unwrap();
        std::str::from_utf8(&buffer[..length]).unwrap().parse::<u32>().unwrap()
    };
    asker.send(b"who").unwrap();
    let first = instance.pids("dns")[0];
    assert_eq!(answer(), first);
    asker.send(b"who").unwrap();
    process::signal(first, Signal::KILL);
    let second = answer();
    assert_ne!(second, first, "the one that came between is answered by the successor");
    assert_eq!([second], *instance.pids("dns"));
    instance.end();
}

/// Opens connections with a request each, and nobody there to accept them.
fn queue(address: &str, count: usize) -> Vec<Box<dyn Connection>> {
    let ask = |_| {
        let mut connection = http::connect(address).unwrap();
        http::send(&mut *connection, "GET", "/", "").unwrap();
        connection
    };
    (0..count).map(ask).collect()
}

#[test]
fn per_worker_listeners_are_one_for_each_slot_and_keep_their_queue_when_the_worker_is_killed() {
    let instance = Instance::up(&config("listen = \"127.0.0.1:0\"\nmode = \"per-worker\"", "workers = 3"));
    let view = instance.status();
    let slots: Vec<_> = find(&view, "web").listeners.iter().map(|listener| listener.slot).collect();
    assert_eq!(slots, [Some(0), Some(1), Some(2)]);
    let pids = instance.pids("web");
    let listeners: BTreeSet<_> = pids.iter().map(|pid| process::descriptors(*pid)[&3].clone()).collect();
    assert_eq!(listeners.len(), 3, "each worker has one of its own");
    let address = instance.address("web");
    distinct_pids(&address, 3);

    pids.iter().for_each(|pid| process::signal(*pid, Signal::STOP));
    let waiting = queue(&address, 24);
    let queued = |view: &view::Instance| {
        find(view, "web").listeners.iter().map(|listener| listener.queue.unwrap()).collect::<Vec<_>>()
    };
    let depths = queued(&instance.status());
    assert_eq!(depths.iter().sum::<u32>(), 24, "{depths:?}");
    pids.iter().for_each(|pid| process::signal(*pid, Signal::KILL));
    let answering: BTreeSet<u32> =
        waiting.into_iter().map(|mut connection| http::answer(&mut *connection).unwrap().pid()).collect();
    let successors = instance.wait_phase("web", ServicePhase::Running);
    let successors: BTreeSet<u32> = successors.workers.iter().filter_map(|worker| worker.pid).collect();
    assert!(answering.is_subset(&successors), "{answering:?} {successors:?}");
    assert!(successors.is_disjoint(&pids.into_iter().collect()));
    let kept: BTreeSet<_> = successors.iter().map(|pid| process::descriptors(*pid)[&3].clone()).collect();
    assert_eq!(kept, listeners, "successors sit on the listeners of their slots");
    instance.end();
}

#[test]
fn scaling_a_per_worker_socket_down_loses_no_connection_and_leaves_no_queue_without_a_worker() {
    let instance = Instance::up(&config("listen = \"127.0.0.1:0\"\nmode = \"per-worker\"", "workers = 4"));
    let address = instance.address("web");
    distinct_pids(&address, 4);
    let load = Load::start(&address);
    instance.remuda(&["scale", "web=1"]).done();
    load.finish().none_failed();
    assert_eq!(find(&instance.status(), "web").listeners.len(), 1);
    for _ in 0..32 {
        assert_eq!([http::get(&address, "/").unwrap().pid()], *instance.pids("web"));
    }
    instance.remuda(&["scale", "web=3"]).done();
    distinct_pids(&address, 3);
    instance.end();
}

#[test]
fn a_queued_connection_outlives_its_worker_on_a_shared_socket() {
    let instance = Instance::up(&config("listen = \"127.0.0.1:0\"", ""));
    let pid = instance.pids("web")[0];
    process::signal(pid, Signal::STOP);
    let waiting = queue(&instance.address("web"), 5);
    assert_eq!(find(&instance.status(), "web").listeners[0].queue, Some(5));
    process::signal(pid, Signal::KILL);
    for mut connection in waiting {
        assert_ne!(http::answer(&mut *connection).unwrap().pid(), pid);
    }
    instance.end();
}

/// What a service manager does: binds two sockets, passes them as 3 and 4, and says so.
const FAKE_SYSTEMD: &str = r#"
import os, socket, sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
copies = [os.dup(s.fileno()) for s in sockets for _ in range(8)]
for number, s in zip((3, 4), sockets):
    os.dup2(os.dup(copies[8 * (number - 3) + 7]), number, inheritable=True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="2", LISTEN_FDNAMES=os.environ.pop("NAMES"))
os.execv(sys.argv[1], sys.argv[1:])
"#;

fn under_fake_systemd(names: &str) -> Setup {
    let mut setup = Setup::new(&format!(
        "[socket.web]\nlisten = \"systemd:http\"\n[socket.admin]\nlisten = \"fd:4\"\n\
         [service.web]\nsockets = [\"web\"]\nworkers = 2\n{WORKER}\n\
         [service.admin]\nsockets = [\"admin\"]\n{WORKER}\n"
    ));
    setup.wrapper = vec!["python3".to_owned(), "-c".to_owned(), FAKE_SYSTEMD.to_owned()];
    setup.environment.insert("NAMES".to_owned(), names.to_owned());
    setup
}

#[test]
fn sockets_that_a_service_manager_passed_are_adopted_by_name_and_by_number() {
    let instance = under_fake_systemd("http:other").up();
    instance.settled();
    let (web, admin) = (instance.address("web"), instance.address("admin"));
    assert_ne!(web, admin);
    let answering = distinct_pids(&web, 2);
    assert_eq!(answering, instance.pids("web").into_iter().collect());
    assert_eq!([http::get(&admin, "/").unwrap().pid()], *instance.pids("admin"));
    let environment = process::environment(instance.pids("web")[0]);
    assert_eq!(environment["LISTEN_FDNAMES"], "web", "workers are told of their own sockets");
    instance.end();
}

#[test]
fn a_socket_that_was_not_passed_is_told_with_those_that_were() {
    let setup = under_fake_systemd("https:other");
    let said = refused(&setup);
    assert!(said.err.contains("\"http\"") && said.err.contains("https"), "{}", said.err);
}

#[test]
fn connections_are_refused_when_the_arbiter_has_ended() {
    let mut instance = Instance::up(&config("listen = \"127.0.0.1:0\"", ""));
    let address = instance.address("web");
    http::get(&address, "/").unwrap();
    instance.signal(Signal::TERM);
    assert_eq!(instance.wait_end(), 0);
    assert_eq!(http::get(&address, "/").unwrap_err().kind(), ErrorKind::ConnectionRefused);
    instance.assert_nothing_left();
}
