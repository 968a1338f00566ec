//! What a program finds when it runs.

use std::fs;
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

use remuda_model::ExitStatus;
use remuda_sys::spawn::{EnvironmentValue, SpawnError, SpawnPlan, spawn};
use remuda_sys::{memfd, pipe, socket};

use crate::support::{Child, plan, refused, run, spec, standing_still};

fn text(value: &str) -> EnvironmentValue {
    EnvironmentValue::Text(value.into())
}

/// Numbers and targets of all descriptors a process has open.
fn descriptors(pid: u32) -> Vec<(u32, String)> {
    let mut open: Vec<(u32, String)> = fs::read_dir(format!("/proc/{pid}/fd"))
        .unwrap()
        .map(|entry| entry.unwrap())
        .map(|entry| {
            let target = fs::read_link(entry.path()).unwrap().to_string_lossy().into_owned();
            (entry.file_name().to_string_lossy().parse().unwrap(), target)
        })
        .collect();
    open.sort();
    open
}

#[test]
pub(crate) fn no_other_descriptor_is_open_in_the_program() {
    let first = memfd::with_content("first", b"").unwrap();
    let second = memfd::with_content("second", b"").unwrap();
    // Leaky on purpose: inheritable, as a library might have left it.
    let leak = memfd::with_content("leak", b"").unwrap();
    rustix::io::fcntl_setfd(&leak, rustix::io::FdFlags::empty()).unwrap();
    let pipe = pipe::plain().unwrap();
    let plan = SpawnPlan {
        stdout: Some(pipe.writer.as_fd()),
        passed: vec![first.as_fd(), second.as_fd()],
        ..plan(&[])
    };
    let child = standing_still(plan, pipe.reader.as_fd());
    let open = descriptors(child.0.pid);
    let numbers: Vec<u32> = open.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, [0, 1, 2, 3, 4], "{open:?}");
    assert!(
        open[0].1 == "/dev/null" && open[1].1.starts_with("pipe:") && open[2].1 == "/dev/null",
        "{open:?}"
    );
    assert!(open[3].1.contains("first") && open[4].1.contains("second"), "{open:?}");
}

#[test]
pub(crate) fn descriptors_arrive_in_order_even_when_their_numbers_are_each_others_targets() {
    let files: Vec<_> =
        (0..6).map(|number| memfd::with_content(&format!("file{number}"), b"").unwrap()).collect();
    // The lowest numbers come last, so that nearly every source is somebody else's target.
    let pipe = pipe::plain().unwrap();
    let plan = SpawnPlan {
        stdin: Some(files[5].as_fd()),
        stdout: Some(pipe.writer.as_fd()),
        stderr: Some(files[0].as_fd()),
        passed: files.iter().rev().map(AsFd::as_fd).collect(),
        ..plan(&[])
    };
    let child = standing_still(plan, pipe.reader.as_fd());
    let mut open = descriptors(child.0.pid);
    assert!(open.remove(1).1.starts_with("pipe:"));
    let names: Vec<&str> = open
        .iter()
        .map(|(_, target)| target.trim_start_matches("/memfd:").split(' ').next().unwrap())
        .collect();
    assert_eq!(names, ["file5", "file0", "file5", "file4", "file3", "file2", "file1", "file0"]);
}

#[test]
pub(crate) fn one_descriptor_may_be_passed_twice() {
    let file = memfd::with_content("twice", b"").unwrap();
    let pipe = pipe::plain().unwrap();
    let (stdout, passed) = (Some(pipe.writer.as_fd()), vec![file.as_fd(), file.as_fd()]);
    let child = standing_still(SpawnPlan { stdout, passed, ..plan(&[]) }, pipe.reader.as_fd());
    let open = descriptors(child.0.pid);
    assert!(open.len() == 5 && open[3].1 == open[4].1 && open[3].1.contains("twice"), "{open:?}");
}

#[test]
pub(crate) fn listen_pid_is_the_programs_own_pid() {
    let pipe = pipe::log().unwrap();
    let child = Child::running(&SpawnPlan {
        environment: vec![("LISTEN_PID".into(), EnvironmentValue::Pid), ("A".into(), text("b"))],
        stdout: Some(pipe.writer.as_fd()),
        ..plan(&["/usr/bin/env"])
    });
    assert_eq!(child.wait(), ExitStatus::Code(0));
    let mut output = [0_u8; 256];
    let length = rustix::io::read(&pipe.reader, &mut output).unwrap();
    let output = String::from_utf8_lossy(&output[..length]);
    assert_eq!(output, format!("LISTEN_PID={}\nA=b\n", child.0.pid), "nothing is inherited");
}

#[test]
pub(crate) fn sockets_reach_a_program_that_speaks_the_systemd_dialect() {
    let web = socket::bind(&spec("127.0.0.1:0")).unwrap();
    let six = socket::bind(&spec("[::]:0")).unwrap();
    let dns = socket::bind(&spec("udp:127.0.0.1:0")).unwrap();
    let environment = vec![
        ("LISTEN_PID".into(), EnvironmentValue::Pid),
        ("LISTEN_PIDFDID".into(), EnvironmentValue::PidfdId),
        ("LISTEN_FDS".into(), text("3")),
        ("LISTEN_FDNAMES".into(), text("web:dns:web")),
    ];
    let passed = vec![web.as_fd(), dns.as_fd(), six.as_fd()];
    let (output, status) =
        run(SpawnPlan { environment, passed, ..plan(&[env!("CARGO_BIN_EXE_sys-trampoline")]) });
    let expected = format!(
        "dns Inet false {}\nweb Inet true {}\nweb Inet6 true {}\n",
        dns.address, web.address, six.address
    );
    assert_eq!((output, status), (expected, ExitStatus::Code(0)));
}

#[test]
pub(crate) fn a_program_is_searched_in_the_path_it_gets() {
    let folder = tempfile::tempdir().unwrap();
    let script = folder.path().join("only-here");
    fs::write(&script, "#!/bin/sh\necho found\n").unwrap();
    fs::set_permissions(&script, fs::Permissions::from_mode(0o755)).unwrap();
    let path = text(&format!("/nowhere:{}", folder.path().display()));
    let (output, _) = run(SpawnPlan { environment: vec![("PATH".into(), path)], ..plan(&["only-here"]) });
    assert_eq!(output, "found\n");
    let (failure, _) =
        refused(&SpawnPlan { environment: vec![("PATH".into(), text("/nowhere"))], ..plan(&["only-here"]) });
    assert_eq!(failure.detail, "only-here was not found in PATH=/nowhere");
}

#[test]
pub(crate) fn what_cannot_be_executed_is_explained() {
    let folder = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str, mode: u32| {
        let path = folder.path().join(name);
        fs::write(&path, content).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        path.display().to_string()
    };
    let missing = folder.path().join("missing").display().to_string();
    let folder_itself = folder.path().display().to_string();
    let cases = [
        (missing.clone(), libc::ENOENT, "does not exist"),
        (
            file("script", "#!/opt/no/python -u\n", 0o755),
            libc::ENOENT,
            "its interpreter /opt/no/python does not",
        ),
        (file("plain", "echo", 0o644), libc::EACCES, "is not executable (mode 0644)"),
        (file("text", "echo hello\n", 0o755), libc::ENOEXEC, "begins with #!"),
        (folder_itself, libc::EACCES, "is a directory"),
    ];
    for (program, errno, words) in cases {
        let (failure, status) = refused(&plan(&[&program]));
        assert_eq!((failure.stage.as_str(), failure.errno), ("program", errno), "{program}");
        assert!(failure.detail.contains(words) && failure.detail.contains(&program), "{}", failure.detail);
        assert!(failure.permanent, "{program}");
        assert_eq!(status, ExitStatus::Code(214), "{program}");
    }
}

#[test]
pub(crate) fn no_process_is_started_without_a_program() {
    assert_eq!(spawn(&plan(&[])).unwrap_err(), SpawnError::NoProgram);
    let plan = SpawnPlan { trampoline: "/nowhere".into(), ..plan(&["true"]) };
    assert_eq!(spawn(&plan).unwrap_err().to_string(), "start /nowhere: ENOENT (no such file or directory)");
}
