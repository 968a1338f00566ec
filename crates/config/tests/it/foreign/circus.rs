//! Circus files.

use std::path::{Path, PathBuf};

use remuda_config::foreign::{ImportError, Severity};

use super::{import_text, told};

/// Every option of Circus 0.19, with a value that is not its default.
#[rustfmt::skip]
const WATCHER: [(&str, &str); 47] = [
    ("args", "-x"),
    ("executable", "/bin/x"),
    ("numprocesses", "3"),
    ("warmup_delay", "2"),
    ("autostart", "False"),
    ("working_dir", "/srv"),
    ("shell", "True"),
    ("shell_args", "-e"),
    ("uid", "nobody"),
    ("gid", "nogroup"),
    ("copy_env", "True"),
    ("copy_path", "True"),
    ("virtualenv", "/venv"),
    ("virtualenv_py_ver", "3.11"),
    ("rlimit_nofile", "512"),
    ("rlimit_cpu", "60"),
    ("send_hup", "True"),
    ("stop_signal", "QUIT"),
    ("stop_children", "True"),
    ("graceful_timeout", "5"),
    ("max_retry", "2"),
    ("respawn", "False"),
    ("singleton", "True"),
    ("priority", "4"),
    ("use_sockets", "True"),
    ("stdin_socket", "s"),
    ("on_demand", "True"),
    ("max_age", "60"),
    ("max_age_variance", "9"),
    ("close_child_stdin", "False"),
    ("close_child_stdout", "True"),
    ("close_child_stderr", "True"),
    ("stdout_stream.class", "QueueStream"),
    ("stdout_stream.filename", "/tmp/x"),
    ("stderr_stream.filename", "/tmp/y"),
    ("stdout_stream.time_format", "%H"),
    ("stdout_stream.color", "red"),
    ("stdout_stream.max_bytes", "5"),
    ("stdout_stream.rotate_when", "H"),
    ("stream_backend", "gevent"),
    ("hooks.before_start", "a.b"),
    ("hooks.extended_stats", "a.b,True"),
    ("check_flapping", "False"),
    ("flapping.attempts", "3"),
    ("retry_in", "7"),
    ("prereload_fn", "a.b"),
    ("anything", "else"),
];
#[rustfmt::skip]
const SOCKET: [(&str, &str); 13] = [
    ("host", "127.0.0.9"),
    ("port", "81"),
    ("family", "AF_INET6"),
    ("type", "SOCK_DGRAM"),
    ("proto", "tcp"),
    ("path", "/run/x"),
    ("umask", "18"),
    ("replace", "True"),
    ("interface", "eth0"),
    ("backlog", "9"),
    ("so_reuseport", "True"),
    ("blocking", "True"),
    ("use_papa", "True"),
];
#[rustfmt::skip]
const CIRCUS: [(&str, &str); 26] = [
    ("endpoint", "ipc://x"),
    ("endpoint_owner", "u"),
    ("pubsub_endpoint", "x"),
    ("statsd", "True"),
    ("stats_endpoint", "x"),
    ("statsd_close_outputs", "True"),
    ("httpd_close_outputs", "True"),
    ("multicast_endpoint", "x"),
    ("check_delay", "1"),
    ("warmup_delay", "1"),
    ("httpd", "True"),
    ("httpd_host", "h"),
    ("httpd_port", "1"),
    ("debug", "True"),
    ("debug_gc", "True"),
    ("pidfile", "/run/p"),
    ("loglevel", "debug"),
    ("logoutput", "x"),
    ("loggerconfig", "x"),
    ("umask", "077"),
    ("fqdn_prefix", "x"),
    ("stream_backend", "gevent"),
    ("ssh_server", "x"),
    ("include", "none.ini"),
    ("include_dir", "none"),
    ("anything", "else"),
];

/// A file with one more line in one of its sections.
fn with(section: &str, line: &str) -> String {
    let more = |own: &str| if own == section { line } else { "" };
    let socket = if line.starts_with("backlog") { "" } else { "backlog = 5" };
    format!(
        "[circus]\n{}\n[socket:s]\n{socket}\n{}\n[watcher:w]\ncmd = run\n{}\n",
        more("circus"),
        more("socket"),
        more("watcher"),
    )
}

fn assert_each_is_told(section: &str, options: &[(&str, &str)]) {
    let without = import_text("/nonexistent/circus.ini", &with("", "")).unwrap();
    for (key, value) in options {
        let text = with(section, &format!("{key} = {value}"));
        let imported =
            import_text("/nonexistent/circus.ini", &text).unwrap_or_else(|why| panic!("{key}: {why}"));
        let noted = imported.notes.iter().any(|note| note.key == *key && note.line > 0);
        let translated = imported.text() != without.text();
        assert!(noted || translated, "{key} is silently dropped:\n{}", told(&imported));
        super::assert_loads(imported.text(), Path::new("/srv/circus.ini"));
    }
}

#[test]
fn every_option_of_a_watcher_is_translated_or_noted() {
    assert_each_is_told("watcher", &WATCHER);
}

#[test]
fn every_option_of_a_socket_is_translated_or_noted() {
    assert_each_is_told("socket", &SOCKET);
}

#[test]
fn every_option_of_the_arbiter_is_translated_or_noted() {
    assert_each_is_told("circus", &CIRCUS);
}

#[test]
fn variables_are_filled_in_everywhere_and_unknown_ones_stay() {
    let text = "[env]\nA = one\n[env:w]\nB = $(circus.env.a)-$HOME\n[watcher:w]\n\
                cmd = run $(circus.env.A) ((CIRCUS.ENV.b)) $(circus.env.home) $(circus.env.nope) $WID\n";
    let imported = import_text("circus.ini", text).unwrap();
    insta::assert_snapshot!(imported.text(), @r#"
    [service.w]
    command = "run one one-${HOME:-} ${HOME} $$(circus.env.nope) $(circus.wid)"
    inherit_env = false

    [service.w.env]
    A = "one"
    B = "one-${HOME:-}"
    "#);
    assert!(
        imported
            .notes
            .iter()
            .any(|note| note.severity == Severity::Warning && note.text.contains("variable nope is not set"))
    );
}

#[test]
fn a_number_or_host_whose_variable_is_not_set_names_the_variable() {
    let text = "[socket:web]\nhost = $(circus.env.WEB_HOST)\nport = ((circus.env.My_Port))\n[watcher:w]\ncmd = run\n\
                numprocesses = $(circus.env.N)\nuse_sockets = $(circus.env.ON)\ngraceful_timeout = $(circus.env.T)\n";
    let Err(ImportError::Refused(report)) = import_text("circus.ini", text) else { panic!("accepted") };
    let told: Vec<_> = report.problems().iter().map(|problem| problem.message.as_str()).collect();
    insta::assert_snapshot!(told.join("\n"), @"
    host = $(circus.env.WEB_HOST): the environment variable WEB_HOST is not set; set it, here or in [env]
    port = ((circus.env.My_Port)): the environment variable My_Port is not set; set it, here or in [env]
    numprocesses = $(circus.env.N): the environment variable N is not set; set it, here or in [env]
    use_sockets = $(circus.env.ON): the environment variable ON is not set; set it, here or in [env]
    graceful_timeout = $(circus.env.T): the environment variable T is not set; set it, here or in [env]
    ");
}

#[test]
fn lines_are_read_as_circus_reads_them() {
    let text = "[watcher:w]\ncmd: run \"a b\" ; a comment\n  more;not\nREM nothing\nCmd = other\nuid = \"\"\n[watcher:w]\ncmd = no\ngid = 5\n";
    let imported = import_text("circus.ini", text).unwrap();
    insta::assert_snapshot!(told(&imported), @r#"
    [service.w]
    command = ["run", "a b", "more;not"]
    group = "5"
    inherit_env = false
    ---
    circus.ini:1: copy_env: differs: without copy_env = True Circus passes nothing but [env]; PATH, HOME, USER, LOGNAME, SHELL, LANG and TZ are passed here as well
    circus.ini:5: Cmd: not supported: a free-form option, which only plugins of Circus read
    circus.ini:8: cmd: warning: ignored, as Circus does: the value at circus.ini:2 came first
    "#);
}

#[test]
fn wrong_values_are_all_told_with_their_lines() {
    let text = "[watcher:w]\ncmd = run 'x\nnumprocesses = many\nstop_signal = NOPE\nshell = maybe\nrlimit_foo = 3\nnonsense\n\
                stdin_socket = gone\n[socket:s]\numask = 9999\npath = /x\n[watcher:W]\ncmd = x\n";
    let Err(ImportError::Refused(report)) = import_text("circus.ini", text) else { panic!("accepted") };
    insta::assert_snapshot!(report, @r#"
    error: a quote is not closed in the command "run 'x"
     --> circus.ini:2:1
      |
    2 | cmd = run 'x
      | ^^^^^^^^^^^^

    error: numprocesses = "many" is not a whole number
     --> circus.ini:3:1
      |
    3 | numprocesses = many
      | ^^^^^^^^^^^^^^^^^^^

    error: stop_signal: "NOPE" is not a signal; write a name (TERM, SIGHUP, RTMIN+1) or a number from 1 to 64
     --> circus.ini:4:1
      |
    4 | stop_signal = NOPE
      | ^^^^^^^^^^^^^^^^^^

    error: shell = "maybe" is neither true nor false; write True or False
     --> circus.ini:5:1
      |
    5 | shell = maybe
      | ^^^^^^^^^^^^^

    error: Linux has no resource limit "foo"; it has as, core, cpu, data, fsize, locks, memlock, msgqueue, nice, nofile, nproc, rss, rtprio, rttime, sigpending, stack
     --> circus.ini:6:1
      |
    6 | rlimit_foo = 3
      | ^^^^^^^^^^^^^^

    error: "nonsense" is neither a section nor "key = value"
     --> circus.ini:7:1
      |
    7 | nonsense
      | ^^^^^^^^

    error: stdin_socket = gone names no [socket:…] of the file
     --> circus.ini:8:1
      |
    8 | stdin_socket = gone
      | ^^^^^^^^^^^^^^^^^^^

    error: umask = 9999 is no file mode mask
      --> circus.ini:10:1
       |
    10 | umask = 9999
       | ^^^^^^^^^^^^

    error: [watcher:W] is there already, at circus.ini:1: case does not count
      --> circus.ini:12:1
       |
    12 | [watcher:W]
       | ^^^^^^^^^^^
    "#);
}

#[test]
fn a_socket_keeps_its_family() {
    let text = "[socket:a]\nport = 1\n[socket:b]\nfamily = AF_INET6\nhost = ::\n[socket:c]\ntype = SOCK_DGRAM\nhost = 10.0.0.1\n\
                [socket:d]\npath = /run/d\ntype = SOCK_SEQPACKET\n[socket:E.x]\nhost=localhost\nfamily=AF_INET6\n";
    let imported = import_text("circus.ini", text).unwrap();
    let listens: Vec<_> =
        imported.text().lines().filter(|line| !line.contains("nonblocking") && !line.is_empty()).collect();
    insta::assert_snapshot!(listens.join("\n"), @r#"
    [socket.a]
    listen = "127.0.0.1:1"
    [socket.b]
    listen = "[::]:8080"
    [socket.c]
    listen = "udp:10.0.0.1:8080"
    [socket.d]
    listen = "unix-seqpacket:/run/d"
    [socket.e-x]
    listen = "[::1]:8080"
    "#);
}

#[test]
fn a_default_max_retry_and_an_absent_one_both_keep_trying() {
    let imported = import_text("circus.ini", "[watcher:w]\ncmd = x\nmax_retry = -1\n").unwrap();
    assert!(!imported.text().contains("give_up_after"));
}

#[test]
fn includes_are_searched_beside_the_file_and_lose_against_it() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    std::fs::create_dir(folder.path().join("more.d")).unwrap();
    write("circus.ini", "[circus]\ninclude_dir = more.d\ninclude = z.ini\n[watcher:w]\ncmd = main\n");
    write("more.d/a.ini", "[watcher:w]\ncmd = included\nnumprocesses = 2\n[watcher:v]\ncmd = v\n");
    write("z.ini", "[watcher:w]\nnumprocesses = 9\n");
    let path: PathBuf = folder.path().join("circus.ini");
    let imported = remuda_config::foreign::import(&[path], &super::options()).unwrap();
    let text = imported.text();
    assert!(text.contains("command = \"main\"") && text.contains("[service.v]"), "{text}");
    assert!(text.contains("workers = 9"), "include comes before include_dir, as in Circus: {text}");
    assert_eq!(imported.sources.len(), 3);
}
