//! What is said about mistakes, and where the caret stands.

use crate::support::mistakes;

#[test]
fn all_unknown_keys_are_told_with_the_nearest_known_one() {
    let text = "[socket.web]\nlisten = \"127.0.0.1:80\"\nbaklog = 5\n\n[service.web]\ncomand = \"run\"\nstop = { singal = \"TERM\" }\nxyzzy = 1\n\n[service.web.limits]\nno_file = 1\n\n[servce.x]\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    error: [socket.web] has no key `baklog`
     --> /srv/shop/remuda.toml:3:1
      |
    3 | baklog = 5
      | ^^^^^^
      |
      = help: did you mean `backlog`?

    error: [service.web] has no key `comand`
     --> /srv/shop/remuda.toml:6:1
      |
    6 | comand = "run"
      | ^^^^^^
      |
      = help: did you mean `command`?

    error: [service.web.stop] has no key `singal`
     --> /srv/shop/remuda.toml:7:10
      |
    7 | stop = { singal = "TERM" }
      |          ^^^^^^
      |
      = help: did you mean `signal`?

    error: [service.web] has no key `xyzzy`
     --> /srv/shop/remuda.toml:8:1
      |
    8 | xyzzy = 1
      | ^^^^^

    error: [service.web.limits] has no key `no_file`
      --> /srv/shop/remuda.toml:11:1
       |
    11 | no_file = 1
       | ^^^^^^^
       |
       = help: did you mean `nofile`?

    error: a config file has no key `servce`
      --> /srv/shop/remuda.toml:13:2
       |
    13 | [servce.x]
       |  ^^^^^^
       |
       = help: did you mean `service`?
    "#);
}

#[test]
fn wrong_values_are_all_told() {
    let text = r#"[remuda]
stop_timeout = 30
log_memory = "5 bananas"
events_kept = "many"

[socket.web]
listen = "nowhere"
mode = "private"
file_mode = 432
v6_only = "yes"

[service.web]
command = 5
workers = { min = 1, max = "many" }
ready_timeout = "30"
stop = "SIGFOO"
restart = "sometimes"
umask = "9"
recycle_jitter = 20
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: a duration needs a unit: write "30s" for seconds or "30ms" for milliseconds
     --> /srv/shop/remuda.toml:2:16
      |
    2 | stop_timeout = 30
      |                ^^

    error: "5 bananas" is not a size: write "64KiB", "10MB", "512M" or a whole number of bytes up to 2^63-1
     --> /srv/shop/remuda.toml:3:14
      |
    3 | log_memory = "5 bananas"
      |              ^^^^^^^^^^^

    error: this must be a whole number from 0 to 4294967295, not the text "many"
     --> /srv/shop/remuda.toml:4:15
      |
    4 | events_kept = "many"
      |               ^^^^^^

    error: "nowhere" is not an address; write "127.0.0.1:8080", "[::]:80", "unix:/run/x.sock", "udp:0.0.0.0:53", "systemd:NAME" or "fd:3"
     --> /srv/shop/remuda.toml:7:10
      |
    7 | listen = "nowhere"
      |          ^^^^^^^^^

    error: "private" is not known here; write "shared" or "per-worker"
     --> /srv/shop/remuda.toml:8:8
      |
    8 | mode = "private"
      |        ^^^^^^^^^

    error: this must be a file mode in quotes such as "0660", not the number 432
     --> /srv/shop/remuda.toml:9:13
      |
    9 | file_mode = 432
      |             ^^^

    error: this must be true or false, not the text "yes"
      --> /srv/shop/remuda.toml:10:11
       |
    10 | v6_only = "yes"
       |           ^^^^^

    error: this must be a command line, or a list of its words, not the number 5
      --> /srv/shop/remuda.toml:13:11
       |
    13 | command = 5
       |           ^

    error: "many" is not a number of workers: write 4, "cpus" or "cpus*2"
      --> /srv/shop/remuda.toml:14:28
       |
    14 | workers = { min = 1, max = "many" }
       |                            ^^^^^^

    error: a duration needs a unit: write "30s" for seconds or "30ms" for milliseconds
      --> /srv/shop/remuda.toml:15:17
       |
    15 | ready_timeout = "30"
       |                 ^^^^

    error: "SIGFOO" is not a signal; write a name (TERM, SIGHUP, RTMIN+1) or a number from 1 to 64
      --> /srv/shop/remuda.toml:16:8
       |
    16 | stop = "SIGFOO"
       |        ^^^^^^^^

    error: "sometimes" is not known here; write "always", "on-failure", "never"
      --> /srv/shop/remuda.toml:17:11
       |
    17 | restart = "sometimes"
       |           ^^^^^^^^^^^

    error: "9" is not a file mode: write octal digits in quotes, "0660", up to "7777"
      --> /srv/shop/remuda.toml:18:9
       |
    18 | umask = "9"
       |         ^^^

    error: this must be a percentage in quotes such as "20%", not the number 20
      --> /srv/shop/remuda.toml:19:18
       |
    19 | recycle_jitter = 20
       |                  ^^
    "#);
}

#[test]
fn what_is_not_toml_is_told() {
    insta::assert_snapshot!(mistakes("[service.web]\ncommand = run\nworkers = \n"), @r#"
    error: this is not valid TOML: string values must be quoted, expected literal string
     --> /srv/shop/remuda.toml:2:11
      |
    2 | command = run
      |           ^^^
      |
      = help: texts stand in quotes: key = "value"

    error: this is not valid TOML: string values must be quoted, expected literal string
     --> /srv/shop/remuda.toml:3:11
      |
    3 | workers = 
      |           ^
      |
      = help: texts stand in quotes: key = "value"
    "#);
}

#[test]
fn two_services_of_one_name_are_told_as_such() {
    insta::assert_snapshot!(mistakes("[service.web]\ncommand = \"a\"\n\n[service.web]\ncommand = \"b\"\n"), @r#"
    error: [service.web] is defined twice
     --> /srv/shop/remuda.toml:4:1
      |
    1 | [service.web]
      | ------------- first here
    ...
    4 | [service.web]
      | ^^^^^^^^^^^^^
      |
      = help: a table is written once: merge the two, or rename one
    "#);
}

#[test]
fn names_that_nobody_has_are_told_with_the_nearest() {
    let text = r#"[remuda]
exit_with = "wbe"

[socket.http]
listen = "127.0.0.1:80"

[service.web]
command = "run $(socket.htp) $(sloot) $(socket.http)"
sockets = ["htpp", "http"]
stdin = "socket:htt"
after = ["databse"]

[service.database]
command = "db $(socket.http)"

[service."no good"]
command = "x"
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: there is no service named "wbe"
     --> /srv/shop/remuda.toml:2:13
      |
    2 | exit_with = "wbe"
      |             ^^^^^
      |
      = help: did you mean `web`?

    error: the service does not inherit a socket named htp
     --> /srv/shop/remuda.toml:8:16
      |
    8 | command = "run $(socket.htp) $(sloot) $(socket.http)"
      |                ^^^^^^^^^^^^^
      |
      = help: did you mean `htpp`?

    error: $(sloot) is not a placeholder
     --> /srv/shop/remuda.toml:8:30
      |
    8 | command = "run $(socket.htp) $(sloot) $(socket.http)"
      |                              ^^^^^^^^
      |
      = help: did you mean `slot`?

    error: there is no socket named "htpp"
     --> /srv/shop/remuda.toml:9:12
      |
    9 | sockets = ["htpp", "http"]
      |            ^^^^^^
      |
      = help: did you mean `http`?

    error: there is no socket named "htt"
      --> /srv/shop/remuda.toml:10:9
       |
    10 | stdin = "socket:htt"
       |         ^^^^^^^^^^^^
       |
       = help: did you mean `http`?

    error: there is no service named "databse"
      --> /srv/shop/remuda.toml:11:10
       |
    11 | after = ["databse"]
       |          ^^^^^^^^^
       |
       = help: did you mean `database`?

    error: the service does not inherit a socket named http
      --> /srv/shop/remuda.toml:14:15
       |
    14 | command = "db $(socket.http)"
       |               ^^^^^^^^^^^^^^
       |
       = help: add it: sockets = ["http"]

    error: "no good" cannot be the name of a service: a name consists of letters, digits, '-', '_' and '@', and begins with a letter or digit; ' ' is not allowed here
      --> /srv/shop/remuda.toml:16:10
       |
    16 | [service."no good"]
       |          ^^^^^^^^^
    "#);
}

#[test]
fn services_that_wait_for_each_other_are_told() {
    let text = "[service.a]\ncommand = \"a\"\nafter = [\"b\"]\n[service.b]\ncommand = \"b\"\nafter = [\"c\"]\n[service.c]\ncommand = \"c\"\nafter = [\"b\"]\n[service.d]\ncommand = \"d\"\nafter = [\"d\"]\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    error: these services wait for each other: b -> c -> b
     --> /srv/shop/remuda.toml:6:9
      |
    6 | after = ["c"]
      |         ^^^^^
    ...
    9 | after = ["b"]
      |         ----- and here
      |
      = help: take one of them out of `after`

    error: these services wait for each other: d -> d
      --> /srv/shop/remuda.toml:12:9
       |
    12 | after = ["d"]
       |         ^^^^^
       |
       = help: take one of them out of `after`
    "#);
}

#[test]
fn what_contradicts_itself_is_told() {
    let text = r#"
[service.a]
command = "a"
singleton = true
workers = 2
on_demand = true
schedule = "0 3 * * *"
oneshot = false
restart = "always"

[service.b]
command = ["a"]
shell = true
ready = "http:/healthz"
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: a singleton has one worker, and 2 are wanted
     --> /srv/shop/remuda.toml:5:11
      |
    4 | singleton = true
      |             ---- a singleton
    5 | workers = 2
      |           ^

    error: nothing can demand this service: it has no sockets
     --> /srv/shop/remuda.toml:6:13
      |
    6 | on_demand = true
      |             ^^^^
      |
      = help: a connection on one of its `sockets` starts it

    error: a service starts on demand or by a schedule, not both
     --> /srv/shop/remuda.toml:6:13
      |
    6 | on_demand = true
      |             ^^^^
    7 | schedule = "0 3 * * *"
      |            ----------- the schedule

    error: a service with a schedule is oneshot: each run has an end
     --> /srv/shop/remuda.toml:8:11
      |
    7 | schedule = "0 3 * * *"
      |            ----------- the schedule
    8 | oneshot = false
      |           ^^^^^

    error: a oneshot service that is always restarted is never done
     --> /srv/shop/remuda.toml:9:11
      |
    9 | restart = "always"
      |           ^^^^^^^^
      |
      = help: write restart = "on-failure", or leave oneshot out

    error: a shell takes one text, not a list of words
      --> /srv/shop/remuda.toml:12:11
       |
    12 | command = ["a"]
       |           ^^^^^
    13 | shell = true
       |         ---- run by a shell

    error: this asks on the service's first socket, and the service has none; give it one with `sockets`, or write the whole address
      --> /srv/shop/remuda.toml:14:9
       |
    14 | ready = "http:/healthz"
       |         ^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn missing_keys_are_told() {
    insta::assert_snapshot!(mistakes("[socket.a]\n[service.a]\n[service.b]\ncommand = \" \"\n[service.b.hooks]\nafter_stop = { timeout = \"1s\" }\n"), @r#"
    error: socket.a has no address
     --> /srv/shop/remuda.toml:1:9
      |
    1 | [socket.a]
      |         ^
      |
      = help: write where it listens: listen = "127.0.0.1:8080"

    error: service.a has no command
     --> /srv/shop/remuda.toml:2:10
      |
    2 | [service.a]
      |          ^
      |
      = help: write what its workers run: command = "gunicorn shop.wsgi"

    error: the command is empty
     --> /srv/shop/remuda.toml:4:11
      |
    4 | command = " "
      |           ^^^

    error: the hook after_stop has no command
     --> /srv/shop/remuda.toml:6:14
      |
    6 | after_stop = { timeout = "1s" }
      |              ^^^^^^^^^^^^^^^^^^
    "#);
}

#[test]
fn readiness_that_cannot_come_is_told() {
    let text = r#"
[socket.s]
listen = "127.0.0.1:0"
[service.a]
command = "a"
sockets = ["s"]
ready = "fd:3"
[service.b]
command = "a"
ready = "log:(open"
[service.c]
command = "a"
ready = "fd:1"
[service.d]
command = "a"
ready = "notfy"
[service.e]
command = "a"
ready = "https://localhost/"
[service.f]
command = "a"
ready = "tcp"
[service.g]
command = "a"
ready = "exec:$(socket.s)"
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: descriptor 3 is one of the worker's sockets; write "fd:4" or higher
     --> /srv/shop/remuda.toml:7:9
      |
    7 | ready = "fd:3"
      |         ^^^^^^

    error: "(open" is not a regular expression: found open group without closing ')'
      --> /srv/shop/remuda.toml:10:9
       |
    10 | ready = "log:(open"
       |         ^^^^^^^^^^^

    error: descriptor 1 is the worker's input or output; write "fd:3" or higher
      --> /srv/shop/remuda.toml:13:9
       |
    13 | ready = "fd:1"
       |         ^^^^^^

    error: "notfy" is no way to tell readiness; did you mean "notify"? (known: started, notify, listen, fd:N, http:/PATH, tcp, exec:COMMAND, log:REGEX, delay:1s, ack)
      --> /srv/shop/remuda.toml:16:9
       |
    16 | ready = "notfy"
       |         ^^^^^^^

    error: a worker's readiness is asked for without TLS; write "http:…", "tcp" or "exec:curl …"
      --> /srv/shop/remuda.toml:19:9
       |
    19 | ready = "https://localhost/"
       |         ^^^^^^^^^^^^^^^^^^^^

    error: this asks on the service's first socket, and the service has none; give it one with `sockets`, or write the whole address
      --> /srv/shop/remuda.toml:22:9
       |
    22 | ready = "tcp"
       |         ^^^^^

    error: the service does not inherit a socket named s
      --> /srv/shop/remuda.toml:25:15
       |
    25 | ready = "exec:$(socket.s)"
       |               ^^^^^^^^^^^
       |
       = help: add it: sockets = ["s"]
    "#);
}

#[test]
fn schedules_that_never_come_are_told() {
    let text = r#"
[service.a]
command = "a"
schedule = "0 25 * * *"
[service.b]
command = "a"
schedule = { cron = "@daily", timezone = "Europe/Pari" }
[service.c]
command = "a"
schedule = { timezone = "UTC" }
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: "0 25 * * *" is not a schedule: number out of bounds; write five fields (minute hour day month weekday) such as "0 3 * * *", six with seconds first, or @hourly, @daily, @weekly, @monthly, @yearly
     --> /srv/shop/remuda.toml:4:12
      |
    4 | schedule = "0 25 * * *"
      |            ^^^^^^^^^^^^

    error: "Europe/Pari" is not a known time zone; write an IANA name such as "Europe/Paris" or "UTC"
     --> /srv/shop/remuda.toml:7:42
      |
    7 | schedule = { cron = "@daily", timezone = "Europe/Pari" }
      |                                          ^^^^^^^^^^^^^

    error: the schedule has no `cron`
      --> /srv/shop/remuda.toml:10:12
       |
    10 | schedule = { timezone = "UTC" }
       |            ^^^^^^^^^^^^^^^^^^^^
       |
       = help: write when it is due: cron = "0 3 * * *"
    "#);
}

#[test]
fn balance_is_for_per_worker_sockets() {
    let text = r#"
[socket.a]
listen = "127.0.0.1:80"
balance = "random"
[socket.b]
listen = "127.0.0.1:81"
mode = "per-worker"
balance = "least"
[service.s]
command = "a"
sockets = ["a", "b"]
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: socket.a has one queue for all workers: `balance` chooses between the queues of a per-worker socket
     --> /srv/shop/remuda.toml:4:11
      |
    4 | balance = "random"
      |           ^^^^^^^^
      |
      = help: write mode = "per-worker" too, or leave `balance` out

    error: "least" is not known here; write "hash", "random", "cpu"
     --> /srv/shop/remuda.toml:8:11
      |
    8 | balance = "least"
      |           ^^^^^^^
    "#);
}

#[test]
fn unix_sockets_are_not_per_worker_and_addresses_are_used_once() {
    let text = r#"
[socket.a]
listen = "unix:/run/a.sock"
mode = "per-worker"
[socket.b]
listen = "127.0.0.1:80"
[socket.c]
listen = "tcp:127.0.0.1:80"
[socket.d]
listen = "127.0.0.1:81"
defer_accept = "500ms"
[service.s]
command = "a"
sockets = ["a", "b", "c", "d", "d"]
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: socket.a cannot be per-worker: Linux does not spread the connections of a Unix socket over several listeners
     --> /srv/shop/remuda.toml:4:8
      |
    3 | listen = "unix:/run/a.sock"
      |          ------------------ a Unix socket
    4 | mode = "per-worker"
      |        ^^^^^^^^^^^^
      |
      = help: write mode = "shared", or listen on a TCP address

    error: socket.c and socket.b listen on the same address, 127.0.0.1:80
     --> /srv/shop/remuda.toml:8:10
      |
    6 | listen = "127.0.0.1:80"
      |          -------------- first here
    7 | [socket.c]
    8 | listen = "tcp:127.0.0.1:80"
      |          ^^^^^^^^^^^^^^^^^^
      |
      = help: several services may inherit one socket: list it in each one's `sockets`

    error: the kernel takes this in whole seconds, at least one
      --> /srv/shop/remuda.toml:11:16
       |
    11 | defer_accept = "500ms"
       |                ^^^^^^^

    error: service.s lists the socket d twice
      --> /srv/shop/remuda.toml:14:32
       |
    14 | sockets = ["a", "b", "c", "d", "d"]
       |                                ^^^
    "#);
}

#[test]
fn numbers_out_of_range_are_told() {
    let text = r#"
[remuda]
workers_max = 3
[service.s]
command = "a"
workers = 4
nice = 20
oom_score_adjust = -2000
umask = "1777"
reload = { surge = 0 }
watchdog = "0s"
backoff = { base = "2m", cap = "1m", give_up_after = 0 }
[service.s.limits]
nofile = { soft = 10, hard = 5 }
cpu = 0
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: 4 workers are more than remuda.workers_max = 3
     --> /srv/shop/remuda.toml:6:11
      |
    6 | workers = 4
      |           ^

    error: niceness is a number from -20 to 19
     --> /srv/shop/remuda.toml:7:8
      |
    7 | nice = 20
      |        ^^

    error: an adjustment of the OOM score is a number from -1000 to 1000
     --> /srv/shop/remuda.toml:8:20
      |
    8 | oom_score_adjust = -2000
      |                    ^^^^^

    error: a mask has three octal digits: "022"
     --> /srv/shop/remuda.toml:9:9
      |
    9 | umask = "1777"
      |         ^^^^^^

    error: a reload needs room for at least one worker more
      --> /srv/shop/remuda.toml:10:20
       |
    10 | reload = { surge = 0 }
       |                    ^

    error: this time must be longer than zero
      --> /srv/shop/remuda.toml:11:12
       |
    11 | watchdog = "0s"
       |            ^^^^

    error: the longest delay is shorter than the one to begin with
      --> /srv/shop/remuda.toml:12:32
       |
    12 | backoff = { base = "2m", cap = "1m", give_up_after = 0 }
       |                                ^^^^

    error: it takes at least one failure
      --> /srv/shop/remuda.toml:12:54
       |
    12 | backoff = { base = "2m", cap = "1m", give_up_after = 0 }
       |                                                      ^

    error: the soft limit is above the hard one
      --> /srv/shop/remuda.toml:14:10
       |
    14 | nofile = { soft = 10, hard = 5 }
       |          ^^^^^^^^^^^^^^^^^^^^^^^

    error: a number of CPUs is above zero: 1.5 is one and a half
      --> /srv/shop/remuda.toml:15:7
       |
    15 | cpu = 0
       |       ^
    "#);
}

#[test]
fn a_mistake_does_not_bring_forth_others() {
    let text = "[socket.web]\nlisten = \"127.0.0.1:80\"\n[service.web]\ncommand = \"run $(socket.web)\"\nsokets = [\"web\"]\n";
    let report = mistakes(text);
    assert_eq!(report.matches("error").count(), 1, "{report}");
}

#[test]
fn a_number_beyond_all_numbers_is_told_with_its_range_and_without_the_name_of_a_type() {
    let text = "[remuda]\nworkers_max = 99999999999\nlog_memory = -99999999999999999999\n[service.web]\ncommand = \"x\"\n\
                workers = 99999999999999999999\nnice = 9999999999\n\
                backoff = { give_up_after = 9999999999999999999999999999999999999999999999 }\n[service.api]\ncommand = \"x\"\nworkers = -1\n";
    let report = mistakes(text);
    assert!(!report.contains("128"), "{report}");
    let told: Vec<_> = report.lines().filter(|line| line.starts_with("error")).collect();
    insta::assert_snapshot!(told.join("\n"), @r#"
    error: this must be a whole number from 0 to 4294967295, not the number 99999999999
    error: this must be a size such as "64KiB", or a number of bytes, not the number -99999999999999999999, which is beyond the numbers of a config, -9223372036854775808 to 9223372036854775807
    error: this must be a number of workers from 0 to 4294967295, "cpus", "cpus*2" or { min = …, max = … }, not the number 99999999999999999999, which is beyond the numbers of a config, -9223372036854775808 to 9223372036854775807
    error: this must be a whole number from -2147483648 to 2147483647, not the number 9999999999
    error: this number is beyond the numbers of a config, -9223372036854775808 to 9223372036854775807
    error: -1 is not a number of workers: write one from 0 to 4294967295
    "#);
}

#[test]
fn a_byte_that_is_not_utf_8_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("remuda.toml");
    std::fs::write(&path, b"[service.web]\n# caf\xe9\ncommand = \"x\"\n").unwrap();
    let report = remuda_config::load(&path, &crate::support::surroundings()).unwrap_err();
    let message = &report.problems()[0].message;
    assert!(message.ends_with("line 2 has a byte that is not UTF-8 (0xe9); save it as UTF-8"), "{message}");
}

#[test]
fn folders_and_sockets_whose_paths_are_too_long_for_a_unix_socket_are_refused() {
    let folder = |length: usize| format!("/{}", "r".repeat(length - 1));
    let text =
        |length| format!("[remuda]\nruntime_dir = \"{}\"\n[service.web]\ncommand = \"x\"\n", folder(length));
    crate::support::load(&text(89));
    let report = mistakes(&text(90));
    let told = format!(
        "the runtime folder {} is 90 bytes long; 89 are possible, because notify/4294967295 in it is a Unix socket, \
         whose path has at most 107 bytes",
        folder(90)
    );
    assert!(report.contains(&told) && report.contains("remuda.toml:2:15"), "{report}");

    let socket =
        |listen: &str| format!("[socket.a]\nlisten = \"{listen}\"\n[service.web]\ncommand = \"x\"\n");
    crate::support::load(&socket(&format!("unix:{}", folder(107))));
    for long in [format!("unix:{}", folder(108)), format!("unix:@{}", "a".repeat(108))] {
        let report = mistakes(&socket(&long));
        assert!(report.contains("is 108 bytes long; a Unix socket has at most 107"), "{report}");
    }
}

#[test]
fn bounds_of_a_number_that_follows_the_load_make_sense() {
    let text = r#"
[remuda]
workers_max = 20
[socket.web]
listen = "udp:127.0.0.1:5353"
[service.a]
command = "a"
workers = { min = 4 }
[service.b]
command = "b"
sockets = ["web"]
workers = { min = 0, max = 4 }
[service.c]
command = "c"
workers = { min = 4, max = 2, on = "cpu" }
[service.d]
command = "d"
singleton = true
workers = { max = 2, on = "cpu" }
[service.e]
command = "e"
oneshot = true
workers = { max = 2, on = "cpu" }
[service.f]
command = "f"
workers = { max = 21, on = "cpu" }
"#;
    insta::assert_snapshot!(mistakes(text), @r#"
    error: a number of workers that follows the load has no `max`
     --> /srv/shop/remuda.toml:8:11
      |
    8 | workers = { min = 4 }
      |           ^^^^^^^^^^^
      |
      = help: write how many there may be: workers = { min = 1, max = 8 }

    error: service.b has no socket in whose queue connections could wait
      --> /srv/shop/remuda.toml:12:11
       |
    12 | workers = { min = 0, max = 4 }
       |           ^^^^^^^^^^^^^^^^^^^^
       |
       = help: write workers = { …, on = "cpu" }, or name a stream socket in its `sockets`

    error: a number of workers that follows the load is at least 1
      --> /srv/shop/remuda.toml:12:19
       |
    12 | workers = { min = 0, max = 4 }
       |                   ^
       |
       = help: a service without workers until a connection comes has on_demand = true

    error: at most 2 workers are fewer than at least 4
      --> /srv/shop/remuda.toml:15:28
       |
    15 | workers = { min = 4, max = 2, on = "cpu" }
       |                   -        ^
       |                   |
       |                   at least so many

    error: a singleton has one worker, whatever the load
      --> /srv/shop/remuda.toml:19:11
       |
    18 | singleton = true
       |             ---- a singleton
    19 | workers = { max = 2, on = "cpu" }
       |           ^^^^^^^^^^^^^^^^^^^^^^^

    error: workers of a service whose work has an end do not follow the load
      --> /srv/shop/remuda.toml:23:11
       |
    22 | oneshot = true
       |           ---- oneshot
    23 | workers = { max = 2, on = "cpu" }
       |           ^^^^^^^^^^^^^^^^^^^^^^^

    error: 21 workers are more than remuda.workers_max = 20
      --> /srv/shop/remuda.toml:26:11
       |
    26 | workers = { max = 21, on = "cpu" }
       |           ^^^^^^^^^^^^^^^^^^^^^^^^
    "#);
    let text = "[service.g]\ncommand = \"g\"\nworkers = { max = 2, on = \"load\" }\n\
                [service.h]\ncommand = \"h\"\nworkers = { maximum = 3, on = \"cpu\" }\n";
    insta::assert_snapshot!(mistakes(text), @r#"
    error: "load" is not known here; write "backlog" or "cpu"
     --> /srv/shop/remuda.toml:3:27
      |
    3 | workers = { max = 2, on = "load" }
      |                           ^^^^^^

    error: [service.h.workers] has no key `maximum`
     --> /srv/shop/remuda.toml:6:13
      |
    6 | workers = { maximum = 3, on = "cpu" }
      |             ^^^^^^^
    "#);
}
