//! Units of systemd.

use std::path::{Path, PathBuf};

use remuda_config::foreign::{ImportError, ImportOptions, Severity, import, import_texts};

use super::{fixture, import_fixtures, options, told};

fn units(
    given: &[(&str, &str)],
    instances: Option<u32>,
) -> Result<remuda_config::foreign::Imported, ImportError> {
    let given: Vec<_> = given.iter().map(|(path, text)| (PathBuf::from(path), (*text).to_owned())).collect();
    import_texts(&given, &ImportOptions { instances, ..options() })
}

fn refusal(given: &[(&str, &str)], instances: Option<u32>) -> String {
    match units(given, instances) {
        Err(ImportError::Refused(report)) => report.to_string(),
        Err(other) => panic!("{other}"),
        Ok(imported) => panic!("accepted:\n{}", told(&imported)),
    }
}

const SERVE: &str = "[Service]\nExecStart=/bin/serve\n";

#[test]
fn either_file_of_a_pair_finds_its_partner_beside_it() {
    let options = ImportOptions { instances: Some(4), ..options() };
    let by_socket = import_fixtures(&["systemd/www@.socket"], &options);
    assert!(by_socket.text().contains("workers = 4") && by_socket.text().contains("per-worker"));
    let by_service = import_fixtures(&["systemd/www@.service"], &options);
    assert_eq!(by_service.sources.len(), 2);
    assert!(by_service.text().contains("[socket.www]"), "{}", by_service.text());
}

#[test]
fn files_whose_names_do_not_fit_what_they_say_are_told_apart() {
    let paths = [fixture("mixup/web@.socket"), fixture("mixup/web@.service")];
    let Err(ImportError::Refused(report)) = import(&paths, &options()) else { panic!("accepted") };
    insta::assert_snapshot!(report, @"
    error: web@.socket says Service=www@%i.service, but there is no www@.service; the file that lies beside it is web@.service; tests/fixtures/foreign/mixup/web@.service:3 says Requires=www@%i.socket. Rename the two files to www@.socket and www@.service, or write web in place of www in both
     --> tests/fixtures/foreign/mixup/web@.socket:7:1
      |
    7 | Service=www@%i.service
      | ^^^^^^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn a_missing_partner_is_named() {
    let text = refusal(&[("/nonexistent/a.socket", "[Socket]\nListenStream=80\n")], None);
    insta::assert_snapshot!(text, @"error: /nonexistent/a.socket: a.socket has no Service=, so it stands for a.service, but a.service is not given and does not lie beside it; give it too, or correct the name");
    let text =
        refusal(&[("/nonexistent/a.service", "[Unit]\nRequires=b.socket\n[Service]\nExecStart=/x\n")], None);
    insta::assert_snapshot!(text, @"
    error: a.service says Requires=b.socket, but b.socket is not given and does not lie beside it; give it too, or correct the name
     --> /nonexistent/a.service:2:1
      |
    2 | Requires=b.socket
      | ^^^^^^^^^^^^^^^^^
    ");
}

#[test]
fn what_cannot_be_is_refused() {
    let socket = "[Socket]\nListenStream=80\nAccept=yes\n";
    insta::assert_snapshot!(refusal(&[("a.socket", socket), ("a.service", SERVE)], None), @"
    error: Accept=yes starts a process for each connection, as inetd did; this version passes listening sockets only; remove Accept= if the service can accept connections itself
     --> a.socket:3:1
      |
    3 | Accept=yes
      | ^^^^^^^^^^
    ");
    let forking = "[Service]\nType=forking\nExecStart=/x\n";
    insta::assert_snapshot!(refusal(&[("a.service", forking)], None), @"
    error: Type=forking: a worker must stay in the foreground, where its end is seen; drop the program's daemon option and write Type=exec or Type=notify
     --> a.service:2:1
      |
    2 | Type=forking
      | ^^^^^^^^^^^^
    ");
    let wrong = "[Socket]\nListenStream=vsock:2:1\nListenStream=host:80\nListenDatagram=@x\nListenSequentialPacket=80\nBacklog=x\n";
    insta::assert_snapshot!(refusal(&[("a.socket", wrong), ("a.service", SERVE)], None), @"
    error: ListenStream=vsock:2:1 is a VM socket, which cannot be here
     --> a.socket:2:1
      |
    2 | ListenStream=vsock:2:1
      | ^^^^^^^^^^^^^^^^^^^^^^

    error: ListenStream=host:80 is no address; write a port, 192.0.2.1:80, [2001:db8::1]:80 or a path
     --> a.socket:3:1
      |
    3 | ListenStream=host:80
      | ^^^^^^^^^^^^^^^^^^^^

    error: ListenDatagram=@x is abstract, which only stream sockets can be here
     --> a.socket:4:1
      |
    4 | ListenDatagram=@x
      | ^^^^^^^^^^^^^^^^^

    error: ListenSequentialPacket=80 is no path; sequenced packets exist for Unix sockets only
     --> a.socket:5:1
      |
    5 | ListenSequentialPacket=80
      | ^^^^^^^^^^^^^^^^^^^^^^^^^

    error: Backlog=x is not a whole number
     --> a.socket:6:1
      |
    6 | Backlog=x
      | ^^^^^^^^^
    ");
}

#[test]
fn instances_that_cannot_share_an_address_are_refused() {
    let given = [("w@.socket", "[Socket]\nListenStream=80\n"), ("w@.service", SERVE)];
    let text = refusal(&given, Some(2));
    assert!(text.contains("2 instances would all bind the same address; add ReusePort=yes"), "{text}");
    assert!(units(&given, None).is_ok());
}

#[test]
fn instances_with_addresses_of_their_own_become_services_of_their_own() {
    let given = [
        ("w@.socket", "[Socket]\nListenStream=/run/w-%i.sock\n"),
        ("w@.service", "[Service]\nExecStart=/bin/w --id %i\n"),
    ];
    let imported = units(&given, Some(2)).unwrap();
    let text = imported.text();
    for number in 0..2 {
        assert!(
            text.contains(&format!("[socket.w@{number}]\nlisten = \"unix:/run/w-{number}.sock\""))
                || text.contains(&format!("[socket.\"w@{number}\"]\nlisten = \"unix:/run/w-{number}.sock\"")),
            "{text}"
        );
        assert!(text.contains(&format!("\"--id\", \"{number}\"")), "{text}");
    }
}

#[test]
fn a_bare_port_listens_on_both_families_and_a_worker_told_inet_is_warned_about() {
    let imported = import_fixtures(&["systemd/www@.socket"], &options());
    let warning = imported.notes.iter().find(|note| note.severity == Severity::Warning).unwrap();
    assert!(warning.text.contains("domain=INET6") && warning.line == 8, "{warning}");
}

#[test]
fn a_reload_by_signal_stays_one() {
    let reload = |line: &str| {
        let text = format!("[Service]\nExecStart=/x\nExecReload={line}\n");
        let imported = units(&[("a.service", &text)], None).unwrap();
        imported.text().lines().find_map(|line| line.strip_prefix("reload = ")).map(str::to_owned)
    };
    assert_eq!(reload("/bin/kill -HUP $MAINPID").as_deref(), Some("\"hup\""));
    assert_eq!(reload("kill -s USR2 ${MAINPID}").as_deref(), Some("\"signal:USR2\""));
    assert_eq!(reload("-/usr/bin/kill --signal=SIGHUP $MAINPID").as_deref(), Some("\"hup\""));
    assert_eq!(reload("/bin/kill -10 $MAINPID").as_deref(), Some("\"signal:USR1\""));
    assert_eq!(reload("/srv/reload").as_deref(), None);
}

#[test]
fn the_words_of_a_command_are_systemds() {
    let text = "[Service]\nExecStart=@/bin/x zero 'a b' \"c\\td\" e\\x41 $UNSET ${UNSET}f g$h %% \\\n  last ; /bin/next\n";
    let imported = units(&[("a.service", text)], None).unwrap();
    let command = imported.text().lines().find(|line| line.starts_with("command")).unwrap().to_owned();
    insta::assert_snapshot!(command, @r#"command = ["/bin/x", "a b", "c\td", "eA", "f", "g$$h", "%", "last"]"#);
}

#[test]
fn a_worker_of_a_socket_that_never_restarts_is_started_by_connections_and_so_always() {
    let alone = units(&[("a.service", SERVE)], None).unwrap();
    assert!(alone.text().contains("restart = \"never\""));
    let given = [("a.socket", "[Socket]\nListenStream=80\n"), ("a.service", SERVE)];
    assert!(units(&given, None).unwrap().text().contains("restart = \"always\""));
}

/// Every key of [Socket] in systemd.socket(5), with a value that is not its default.
#[rustfmt::skip]
const SOCKET: [(&str, &str); 62] = [
    ("ListenFIFO", "/run/f"),
    ("ListenSpecial", "/dev/x"),
    ("ListenNetlink", "audit 1"),
    ("ListenMessageQueue", "/q"),
    ("ListenUSBFunction", "/f"),
    ("SocketProtocol", "sctp"),
    ("BindIPv6Only", "both"),
    ("Backlog", "7"),
    ("BindToDevice", "eth0"),
    ("SocketUser", "u"),
    ("SocketGroup", "g"),
    ("SocketMode", "0600"),
    ("DirectoryMode", "0700"),
    ("Writable", "yes"),
    ("FlushPending", "yes"),
    ("MaxConnections", "9"),
    ("MaxConnectionsPerSource", "2"),
    ("KeepAlive", "yes"),
    ("KeepAliveTimeSec", "9"),
    ("KeepAliveIntervalSec", "9"),
    ("KeepAliveProbes", "2"),
    ("NoDelay", "yes"),
    ("Priority", "3"),
    ("DeferAcceptSec", "3"),
    ("ReceiveBuffer", "9K"),
    ("SendBuffer", "9K"),
    ("IPTOS", "8"),
    ("IPTTL", "8"),
    ("Mark", "8"),
    ("ReusePort", "yes"),
    ("SmackLabel", "x"),
    ("SmackLabelIPIn", "x"),
    ("SmackLabelIPOut", "x"),
    ("SELinuxContextFromNet", "yes"),
    ("PipeSize", "4K"),
    ("MessageQueueMaxMessages", "2"),
    ("MessageQueueMessageSize", "9"),
    ("FreeBind", "yes"),
    ("Transparent", "yes"),
    ("Broadcast", "yes"),
    ("PassCredentials", "yes"),
    ("PassSecurity", "yes"),
    ("PassPacketInfo", "yes"),
    ("Timestamping", "us"),
    ("TCPCongestion", "bbr"),
    ("ExecStartPre", "/x"),
    ("ExecStartPost", "/x"),
    ("ExecStopPre", "/x"),
    ("ExecStopPost", "/x"),
    ("TimeoutSec", "3"),
    ("RemoveOnStop", "yes"),
    ("Symlinks", "/y"),
    ("FileDescriptorName", "n"),
    ("TriggerLimitIntervalSec", "3"),
    ("TriggerLimitBurst", "3"),
    ("PollLimitIntervalSec", "3"),
    ("PollLimitBurst", "3"),
    ("PassFileDescriptorsToExec", "yes"),
    ("PassPIDFD", "yes"),
    ("AcceptFileDescriptors", "no"),
    ("DeferTrigger", "yes"),
    ("Unheard", "of"),
];

#[test]
fn every_key_of_a_socket_is_translated_or_noted() {
    let base = "[Socket]\nListenStream=127.0.0.1:80\nListenStream=/run/s\nListenStream=[::1]:81\nListenDatagram=53\n";
    let import = |more: &str| {
        let text = format!("{base}{more}");
        units(&[("a.socket", &text), ("a.service", SERVE)], None)
            .unwrap_or_else(|why| panic!("{more}: {why}"))
    };
    let without = import("");
    for (key, value) in SOCKET {
        let imported = import(&format!("{key}={value}\n"));
        let noted = imported.notes.iter().any(|note| note.key == key && note.line == 6);
        assert!(
            noted || imported.text() != without.text(),
            "{key} is silently dropped:\n{}",
            told(&imported)
        );
        super::assert_loads(imported.text(), Path::new("/srv/a.service"));
    }
}

/// Keys of [Service], with values that are not their defaults.
#[rustfmt::skip]
const SERVICE: [(&str, &str); 58] = [
    ("Type", "notify"), ("ExecStartPre", "/x"), ("ExecStartPost", "/x"), ("ExecCondition", "/x"), ("ExecStop", "/x"),
    ("ExecStopPost", "/x"), ("ExecReload", "/x"), ("Restart", "on-failure"), ("RestartSec", "3"), ("User", "u"),
    ("Group", "g"), ("SupplementaryGroups", "a b"), ("UMask", "077"), ("WorkingDirectory", "/srv"), ("Environment", "A=b"),
    ("EnvironmentFile", "-/x"), ("PassEnvironment", "LANG"), ("UnsetEnvironment", "A"), ("Nice", "3"),
    ("OOMScoreAdjust", "3"), ("LimitNOFILE", "9"), ("LimitAS", "9G"), ("LimitCPU", "3min"), ("LimitRTTIME", "3ms"),
    ("LimitNPROC", "1:2"), ("MemoryMax", "9M"), ("MemoryMax", "10%"), ("MemoryHigh", "9M"), ("CPUQuota", "20%"),
    ("TasksMax", "9"), ("TasksMax", "10%"), ("KillSignal", "INT"), ("KillMode", "process"), ("SendSIGKILL", "no"),
    ("FinalKillSignal", "9"), ("TimeoutSec", "3"), ("TimeoutStartSec", "3"), ("TimeoutStopSec", "3"),
    ("TimeoutStopSec", "infinity"), ("WatchdogSec", "3"), ("WatchdogSignal", "6"), ("NotifyAccess", "all"),
    ("NonBlocking", "yes"), ("StandardInput", "tty"), ("StandardOutput", "file:/x"), ("StandardError", "journal"),
    ("FileDescriptorStoreMax", "3"), ("NoNewPrivileges", "yes"), ("SuccessExitStatus", "3"),
    ("RestartPreventExitStatus", "3"), ("RemainAfterExit", "yes"), ("PIDFile", "/x"), ("SyslogIdentifier", "x"),
    ("RuntimeMaxSec", "9"), ("PrivateTmp", "yes"), ("RuntimeDirectory", "x"), ("CapabilityBoundingSet", "x"), ("Unheard", "of"),
];

#[test]
fn every_key_of_a_service_is_translated_or_noted() {
    let socket = ("a.socket", "[Socket]\nListenStream=127.0.0.1:80\n");
    let import = |more: &str| {
        let text = format!("{SERVE}{more}");
        units(&[socket, ("a.service", &text)], None).unwrap_or_else(|why| panic!("{more}: {why}"))
    };
    let without = import("");
    for (key, value) in SERVICE {
        let imported = import(&format!("{key}={value}\n"));
        let noted = imported.notes.iter().any(|note| note.key == key && note.line == 3);
        assert!(
            noted || imported.text() != without.text(),
            "{key} is silently dropped:\n{}",
            told(&imported)
        );
        super::assert_loads(imported.text(), Path::new("/srv/a.service"));
    }
}

#[test]
fn an_instance_given_as_a_file_is_a_service_of_its_own() {
    let given = [
        ("w@blue.socket", "[Socket]\nListenStream=80\n"),
        ("w@.service", "[Service]\nExecStart=/bin/w %i\n"),
    ];
    let imported = units(&given, None).unwrap();
    insta::assert_snapshot!(imported.text(), @r#"
    [socket."w@blue"]
    listen = "[::]:80"

    [service."w@blue"]
    command = ["/bin/w", "blue"]
    sockets = ["w@blue"]
    directory = "/"
    inherit_env = false
    restart = "always"
    stop = { scope = "tree" }
    "#);
}

#[test]
fn a_drop_in_is_read_after_its_unit_and_an_empty_value_resets_a_list() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.service");
    std::fs::write(&path, "[Service]\nExecStart=/bin/old\nUser=a\n").unwrap();
    std::fs::create_dir(folder.path().join("a.service.d")).unwrap();
    std::fs::write(folder.path().join("a.service.d/new.conf"), "[Service]\nExecStart=\nExecStart=/bin/new\n")
        .unwrap();
    let imported = import(&[path], &options()).unwrap();
    assert!(imported.text().contains("command = [\"/bin/new\"]") && imported.text().contains("user = \"a\""));
    assert!(!imported.notes.iter().any(|note| note.key == "ExecStart"), "{}", told(&imported));
}

#[test]
fn a_user_that_systemd_would_make_up_is_refused_rather_than_run_as_root() {
    let made_up = "[Service]\nExecStart=/bin/serve\nDynamicUser=yes\n";
    insta::assert_snapshot!(refusal(&[("a.service", made_up)], None), @"
    error: DynamicUser=yes without User=: no user is made up here, and the service would run as the user that runs the arbiter, perhaps as root
     --> a.service:3:1
      |
    3 | DynamicUser=yes
      | ^^^^^^^^^^^^^^^
      |
      = help: make a user (`useradd --system NAME`) and write User=NAME
    ");
    let named = units(&[("a.service", &format!("{made_up}User=www\n"))], None).unwrap();
    assert!(named.text().contains("user = \"www\""), "{}", named.text());
    assert!(named.notes.iter().any(|note| note.severity == Severity::Lost && note.key == "DynamicUser"));
    let off = units(&[("a.service", "[Service]\nExecStart=/bin/serve\nDynamicUser=no\n")], None).unwrap();
    assert!(off.notes.iter().all(|note| note.severity == Severity::Unneeded), "{:?}", off.notes);
}

#[test]
fn every_protection_that_is_not_applied_is_told_as_lost() {
    let text = "[Service]\nExecStart=/bin/serve\nUser=www\nProtectSystem=strict\nPrivateTmp=yes\nPrivateDevices=no\n\
                SystemCallFilter=@system-service\nSystemCallFilter=~@privileged\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n";
    let imported = units(&[("a.service", text)], None).unwrap();
    let lost: Vec<_> = imported.notes.iter().filter(|note| note.severity == Severity::Lost).collect();
    let lines: Vec<_> = lost.iter().map(ToString::to_string).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    a.service:4: ProtectSystem: lost: strict is not applied; workers run without it
    a.service:5: PrivateTmp: lost: yes is not applied; workers run without it
    a.service:7: SystemCallFilter: lost: @system-service is not applied; workers run without it
    a.service:8: SystemCallFilter: lost: ~@privileged is not applied; workers run without it
    a.service:9: CapabilityBoundingSet: lost: CAP_NET_BIND_SERVICE is not applied; workers run without it
    ");
}

#[test]
fn instances_that_would_share_an_address_are_refused_once() {
    let socket = "[Socket]\nListenStream=127.0.0.1:80\n";
    let text = refusal(&[("www@.socket", socket), ("www@.service", SERVE)], Some(3));
    assert_eq!(text.matches("add ReusePort=yes").count(), 1, "{text}");
}
