//! What a file in the native format means.

use std::path::{Path, PathBuf};
use std::time::Duration;

use remuda_config::Surroundings;
use remuda_model::{
    Address, Balance, HookFailure, HookPoint, Load, Mode, Readiness, ReloadMethod, Restart, Scaling, Signal,
    Stdin, StopScope,
};

use crate::support::{load, service, surroundings, try_load};

const SECONDS: fn(u64) -> Duration = Duration::from_secs;

#[test]
fn a_command_is_all_a_service_needs() {
    let spec = service("[service.web]\ncommand = \"sleep 'a b'\"\n");
    assert_eq!(spec.command.argv, ["sleep", "a b"]);
    assert_eq!((spec.workers, spec.autostart, spec.oneshot, spec.singleton), (1, true, false, false));
    assert_eq!((spec.ready.clone(), spec.ready_timeout), (Readiness::Started, SECONDS(60)));
    assert_eq!((spec.reload.surge, spec.reload.canary), (1, true));
    assert_eq!((spec.reload.bake, spec.reload.timeout), (SECONDS(1), SECONDS(60)));
    assert_eq!((spec.stop.signal, spec.stop.timeout), (Signal::TERM, SECONDS(30)));
    assert_eq!(spec.restart, Restart::Always);
    assert_eq!(spec.backoff.base, Duration::from_millis(100));
    assert_eq!(spec.directory, Path::new("/srv/shop"));
    assert_eq!(spec.recycle.jitter_percent, 20);
}

#[test]
fn an_instance_is_named_after_its_folder_and_lives_where_its_user_may_write() {
    let config = load("").config;
    assert_eq!(config.instance.name, "shop");
    assert_eq!(config.instance.runtime_dir, Path::new("/tmp/remuda-1000/shop"));

    let root = Surroundings { uid: 0, ..surroundings() };
    let loaded = remuda_config::load_text("", Path::new("remuda.toml"), &root).expect("an empty file");
    assert_eq!(loaded.config.instance.runtime_dir, Path::new("/run/remuda/srv"));

    let mut user = surroundings();
    user.variables.insert("XDG_RUNTIME_DIR".into(), "/run/user/1000".into());
    let loaded = remuda_config::load_text("", Path::new("remuda.toml"), &user).expect("an empty file");
    assert_eq!(loaded.config.instance.runtime_dir, Path::new("/run/user/1000/remuda/srv"));
}

#[test]
fn a_stop_of_everything_takes_five_seconds_more_than_the_slowest_service() {
    let config = load("[service.a]\ncommand = \"a\"\nstop = { timeout = \"90s\" }\n").config;
    assert_eq!(config.instance.stop_timeout, Some(SECONDS(95)));
}

#[test]
fn the_signals_that_scale_go_to_the_only_service_or_the_first_with_a_socket() {
    let only = load("[service.job]\ncommand = \"a\"\n").config;
    assert_eq!(only.instance.scale_on_signal.expect("a service").as_str(), "job");
    let text = "[socket.web]\nlisten = \"127.0.0.1:0\"\n[service.a]\ncommand = \"a\"\n[service.b]\ncommand = \"b\"\nsockets = [\"web\"]\n";
    assert_eq!(load(text).config.instance.scale_on_signal.expect("a service").as_str(), "b");
}

#[test]
fn a_shell_gets_the_command_as_one_text() {
    let spec = service("[service.a]\ncommand = \"a | b\"\nshell = true\n");
    assert_eq!(spec.command.argv, ["/bin/sh", "-c", "a | b"]);
}

#[test]
fn words_for_a_shell_without_a_shell_are_warned_of() {
    let loaded = load("[service.a]\ncommand = \"a | b\"\n");
    insta::assert_snapshot!(loaded.warnings, @r#"
    warning: no shell runs this command, so "|" is passed to the program as it is
     --> /srv/shop/remuda.toml:2:14
      |
    2 | command = "a | b"
      |              ^
      |
      = help: write shell = true to have /bin/sh run it
    "#);
}

#[test]
fn workers_are_counted_or_follow_the_cpus() {
    let workers = |text: &str| service(&format!("[service.a]\ncommand = \"a\"\nworkers = {text}\n")).workers;
    assert_eq!([workers("3"), workers("0"), workers("\"cpus\""), workers("\"cpus*2\"")], [3, 0, 2, 4]);
}

#[test]
fn workers_may_follow_the_load_within_bounds() {
    let of = |workers: &str| {
        service(&format!(
            "[socket.web]\nlisten = \"127.0.0.1:0\"\n[service.a]\ncommand = \"a\"\nsockets = [\"web\"]\nworkers = {workers}\n"
        ))
    };
    let bounds = |min, max, on| Some(Scaling { min, max, on });
    let spec = of("{ min = 2, max = 16, on = \"cpu\" }");
    assert_eq!((spec.workers, spec.scaling), (2, bounds(2, 16, Load::Cpu)));
    assert_eq!(of("{ max = \"cpus*4\" }").scaling, bounds(1, 8, Load::Backlog));
    assert_eq!(of("{ min = \"cpus\", max = 2 }").scaling, bounds(2, 2, Load::Backlog));
    assert_eq!(of("3").scaling, None);
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = "[socket.a]\nlisten = \"unix:run/a.sock\"\n[service.a]\ncommand = \"a\"\nsockets = [\"a\"]\ndirectory = \"work\"\nlog = \"a.log\"\n[remuda]\npid_file = \"../a.pid\"\n";
    let config = load(text).config;
    let socket = config.sockets.values().next().expect("a socket");
    assert_eq!(socket.listen, Address::UnixStream(PathBuf::from("/srv/shop/run/a.sock")));
    let spec = config.services.values().next().expect("a service");
    assert_eq!(spec.directory, Path::new("/srv/shop/work"));
    assert_eq!(spec.log.as_ref().expect("a log").path, Path::new("/srv/shop/a.log"));
    assert_eq!(config.instance.pid_file, Some(PathBuf::from("/srv/shop/../a.pid")));
}

#[test]
fn every_way_to_tell_readiness_is_understood() {
    let ready = |text: &str| {
        let head = "[socket.s]\nlisten = \"127.0.0.1:0\"\n[service.a]\ncommand = \"a\"\nsockets = [\"s\"]\n";
        service(&format!("{head}ready = '{text}'\n")).ready
    };
    assert_eq!(ready("started"), Readiness::Started);
    assert_eq!(ready("notify"), Readiness::Notify);
    assert_eq!(ready("listen"), Readiness::Listen);
    assert_eq!(ready("ack"), Readiness::Ack);
    assert_eq!(ready("fd:4"), Readiness::Descriptor(4));
    assert_eq!(ready("http:/healthz"), Readiness::Http("/healthz".into()));
    assert_eq!(ready("http://[::1]:80/x"), Readiness::Http("http://[::1]:80/x".into()));
    assert_eq!(ready("tcp"), Readiness::Tcp(None));
    assert_eq!(ready("tcp:127.0.0.1:$(port.s)"), Readiness::Tcp(Some("127.0.0.1:$(port.s)".into())));
    assert_eq!(ready("exec:test -e \"a b\""), Readiness::Exec("test -e \"a b\"".into()));
    assert_eq!(ready("log:listening on :[0-9]+$"), Readiness::Log("listening on :[0-9]+$".into()));
    assert_eq!(ready("delay:1m 30s"), Readiness::Delay(SECONDS(90)));
}

#[test]
fn reload_and_stop_have_short_forms() {
    let spec = service("[service.a]\ncommand = \"a\"\nreload = \"signal:USR2\"\nstop = \"QUIT\"\n");
    assert_eq!(spec.reload.method, ReloadMethod::Signal("USR2".parse().expect("a signal")));
    assert_eq!(spec.stop.signal, "QUIT".parse().expect("a signal"));
    let spec = service("[service.a]\ncommand = \"a\"\nreload = \"hup\"\nstop = { scope = \"tree\" }\n");
    assert_eq!(spec.reload.method, ReloadMethod::Signal(Signal::HUP));
    assert_eq!(spec.stop.scope, StopScope::Tree);
}

#[test]
fn a_schedule_makes_a_oneshot_service_that_is_restarted_on_failure() {
    let spec = service("[service.a]\ncommand = \"a\"\nschedule = \"@daily\"\n");
    assert!(spec.oneshot);
    assert_eq!(spec.restart, Restart::OnFailure);
}

#[test]
fn hooks_have_their_defaults_by_point() {
    let text = "[service.a]\ncommand = \"a\"\n[service.a.hooks]\nbefore_start = \"migrate --now\"\nafter_stop = { command = [\"say\", \"bye now\"], timeout = \"1s\" }\n";
    let hooks = service(text).hooks;
    let first = &hooks[&HookPoint::BeforeStart];
    assert_eq!((first.argv.len(), first.timeout, first.on_failure), (2, SECONDS(10), HookFailure::Abort));
    let last = &hooks[&HookPoint::AfterStop];
    assert_eq!(
        (last.argv[1].as_str(), last.timeout, last.on_failure),
        ("bye now", SECONDS(1), HookFailure::Ignore)
    );
}

#[test]
fn limits_take_numbers_sizes_and_pairs() {
    let text = "[service.a]\ncommand = \"a\"\n[service.a.limits]\nnofile = 65536\ncore = \"unlimited\"\nstack = { soft = \"8MiB\", hard = \"unlimited\" }\ncpu_time = 60\ncpu = 1.5\nmemory = \"512M\"\npids = 100\n";
    let spec = service(text);
    let limit = |name: &str| {
        let found = spec.limits.iter().find(|limit| limit.name == name).expect("a limit");
        (found.soft, found.hard)
    };
    assert_eq!(limit("nofile"), (Some(65536), Some(65536)));
    assert_eq!(limit("core"), (None, None));
    assert_eq!(limit("stack"), (Some(8 << 20), None));
    assert_eq!(limit("cpu"), (Some(60), Some(60)));
    assert_eq!(
        (spec.cgroup.memory, spec.cgroup.cpu, spec.cgroup.pids),
        (Some(512 << 20), Some(1.5), Some(100))
    );
}

#[test]
fn sockets_take_every_option() {
    let text = r#"
        [socket.a]
        listen = "[::]:0"
        mode = "per-worker"
        balance = "cpu"
        keepalive = { time = "1m", interval = "10s", probes = 3 }
        defer_accept = "5s"
        v6_only = true
        receive_buffer = "64KiB"
        [socket.b]
        listen = "unix:@b"
        [socket.c]
        listen = "unix:c.sock"
        file_mode = "0600"
        user = 33
        [service.a]
        command = "a"
        sockets = ["a", "b"]
        stdin = "socket:c"
    "#;
    let config = load(text).config;
    let options = |name: &str| config.sockets[name].options.clone();
    assert_eq!((config.sockets["a"].mode, config.sockets["a"].balance), (Mode::PerWorker, Balance::Cpu));
    assert_eq!(config.sockets["b"].balance, Balance::Hash);
    assert_eq!(options("a").keepalive_time, Some(SECONDS(60)));
    assert_eq!((options("a").reuse_address, options("b").reuse_address), (true, false));
    assert_eq!(options("a").receive_buffer, Some(65536));
    assert_eq!((options("c").file_mode, options("c").owner.user), (0o600, Some("33".to_owned())));
    assert!(matches!(config.services["a"].stdin, Stdin::Socket(_)));
}

#[test]
fn a_systemd_socket_may_be_per_worker() {
    let text = "[socket.a]\nlisten = \"systemd:a\"\nmode = \"per-worker\"\n[service.a]\ncommand = \"a\"\nsockets = [\"a\"]\n";
    assert!(try_load(text).is_ok());
}

#[test]
fn a_socket_that_nobody_inherits_is_warned_of() {
    let loaded = load("[socket.web]\nlisten = \"127.0.0.1:0\"\nuser = \"www\"\n");
    insta::assert_snapshot!(loaded.warnings, @r#"
    warning: no service inherits socket.web: connections would wait for ever
     --> /srv/shop/remuda.toml:1:9
      |
    1 | [socket.web]
      |         ^^^
      |
      = help: add it to a service: sockets = ["web"]

    warning: `user` has no effect: 127.0.0.1:0 has no file
     --> /srv/shop/remuda.toml:3:8
      |
    3 | user = "www"
      |        ^^^^^
    "#);
}

#[test]
fn the_effective_config_shows_every_default() {
    let text = r#"
        [socket.web]
        listen = "0.0.0.0:8080"
        [service.web]
        command = "gunicorn --bind fd://$(socket.web) shop.wsgi"
        sockets = ["web"]
        [service.web.env]
        TOKEN = "${SECRET}"
        COST = "5$$"
    "#;
    let loaded = load(text);
    insta::assert_snapshot!(remuda_config::effective(&loaded.config, &loaded.masked), @r#"
    [remuda]
    name = "shop"
    runtime_dir = "/tmp/remuda-1000/shop"
    scale_on_signal = "web"
    log_memory = "1MiB"
    log_line_max = "64KiB"
    events_kept = 4096
    workers_max = 10000
    on_crash = "keep"
    stop_timeout = "35s"

    [dashboard]
    listen = "127.0.0.1:0"
    exposed = false
    hosts = []
    state = "/tmp/remuda-1000/shop/dashboard"

    [socket.web]
    listen = "0.0.0.0:8080"
    mode = "shared"
    backlog = 2048
    reuse_address = true
    reuse_port = false
    nonblocking = false
    nodelay = false
    keepalive = false
    free_bind = false
    broadcast = false

    [service.web]
    kind = "command"
    command = ["gunicorn", "--bind", "fd://$(socket.web)", "shop.wsgi"]
    sockets = ["web"]
    stdin = "null"
    workers = 1
    singleton = false
    oneshot = false
    autostart = true
    after = []
    priority = 0
    ready = "started"
    ready_timeout = "1m"
    notify_access = "all"
    restart = "always"
    success_codes = []
    on_demand = false
    recycle_jitter = "20%"
    directory = "/srv/shop"
    nice = 0
    no_new_privileges = false
    session = "new"
    fd_store = 0
    inherit_env = false

    [service.web.reload]
    surge = 1
    canary = true
    bake = "1s"
    timeout = "1m"

    [service.web.stop]
    signal = "TERM"
    timeout = "30s"
    scope = "main"

    [service.web.backoff]
    base = "100ms"
    cap = "1m"
    healthy_after = "10s"
    crash_loop_after = 10

    [service.web.env]
    COST = "5$"
    TOKEN = "***"
    "#);
}
