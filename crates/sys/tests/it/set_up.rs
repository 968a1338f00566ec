//! The stages of the trampoline: what they do, and what they say when they cannot.

use std::ffi::OsString;
use std::fs::{self, File};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt;

use remuda_model::{ExitStatus, ResourceLimit, SpawnFailure};
use remuda_sys::event::block_signals;
use remuda_sys::pipe;
use remuda_sys::spawn::{Credentials, Session, SpawnPlan, Stage};

use crate::support::{Child, is_root, plan, refused, run, standing_still};

/// A line of `/proc/self/status` as the program sees it.
fn status_line(text: &str, key: &str) -> String {
    let line = text.lines().find_map(|line| line.strip_prefix(key)).expect("the kernel prints it");
    line.trim_start_matches(':').split_whitespace().collect::<Vec<_>>().join(" ")
}

fn own_status(plan: SpawnPlan<'_>) -> String {
    run(SpawnPlan { argv: ["/bin/cat", "/proc/self/status"].map(OsString::from).to_vec(), ..plan }).0
}

#[test]
pub(crate) fn signals_are_neither_blocked_nor_ignored() {
    block_signals().unwrap();
    let status = own_status(plan(&[]));
    assert_eq!(status_line(&status, "SigBlk"), "0000000000000000");
    assert_eq!(status_line(&status, "SigIgn"), "0000000000000000");
}

#[test]
pub(crate) fn umask_limits_and_niceness_are_as_planned() {
    let limit =
        |name: &str, soft, hard| ResourceLimit { name: name.into(), soft: Some(soft), hard: Some(hard) };
    let argv =
        ["/bin/sh", "-c", "umask; ulimit -Sn; ulimit -Hn; ulimit -c; nice; cat /proc/self/oom_score_adj"];
    let (output, _) = run(SpawnPlan {
        umask: Some(0o027),
        limits: vec![limit("nofile", 64, 128), limit("core", 0, 0)],
        nice: Some(7),
        oom_score_adjust: Some(500),
        ..plan(&argv)
    });
    assert_eq!(output, "0027\n64\n128\n0\n7\n500\n");
}

#[test]
pub(crate) fn a_limit_with_room_for_the_passed_descriptors_alone_does_not_stop_their_moving() {
    let null = File::open("/dev/null").unwrap();
    let pipe = pipe::plain().unwrap();
    let limits = vec![ResourceLimit { name: "nofile".into(), soft: Some(26), hard: Some(26) }];
    let passed = vec![null.as_fd(); 20];
    let plan = SpawnPlan { passed, limits, stdout: Some(pipe.writer.as_fd()), ..plan(&[]) };
    let child = standing_still(plan, pipe.reader.as_fd());
    assert_eq!(fs::read_dir(format!("/proc/{}/fd", child.0.pid)).unwrap().count(), 23);
}

#[test]
pub(crate) fn the_program_runs_in_its_directory_on_its_processor() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let argv = ["/bin/sh", "-c", "pwd -P; grep Cpus_allowed_list /proc/self/status"];
    let (output, _) = run(SpawnPlan { directory: Some(path.clone()), cpus: vec![0], ..plan(&argv) });
    assert_eq!(output, format!("{}\nCpus_allowed_list:\t0\n", path.display()));
}

#[test]
pub(crate) fn sessions_and_groups_are_as_planned() {
    // From /proc, for `getsid` of a session that began outside this PID namespace is 0, which rustix cannot hold.
    let ids = |session| {
        let child = Child::running(&SpawnPlan { session, ..plan(&["/bin/sleep", "60"]) });
        let stat = fs::read_to_string(format!("/proc/{}/stat", child.0.pid)).unwrap();
        let after_name = stat.rsplit_once(") ").unwrap().1;
        let ids: Vec<u32> = after_name.split(' ').skip(2).take(2).map(|id| id.parse().unwrap()).collect();
        (ids[0] == child.0.pid, ids[1] == child.0.pid)
    };
    assert_eq!(ids(Session::New), (true, true));
    assert_eq!(ids(Session::Group), (true, false));
    assert_eq!(ids(Session::Inherit), (false, false));
}

#[test]
pub(crate) fn no_new_privileges_is_set_only_when_asked() {
    assert_eq!(status_line(&own_status(plan(&[])), "NoNewPrivs"), "0");
    assert_eq!(
        status_line(&own_status(SpawnPlan { no_new_privileges: true, ..plan(&[]) }), "NoNewPrivs"),
        "1"
    );
}

#[test]
pub(crate) fn the_user_is_changed_whole() {
    if !is_root() {
        return;
    }
    let user = Some(Credentials { uid: 65_534, gid: 65_533, groups: vec![65_533, 4] });
    let status = own_status(SpawnPlan { user, ..plan(&[]) });
    assert_eq!(status_line(&status, "Uid"), "65534 65534 65534 65534");
    assert_eq!(status_line(&status, "Gid"), "65533 65533 65533 65533");
    assert_eq!(status_line(&status, "Groups"), "4 65533");
    assert_eq!(status_line(&status, "CapEff"), "0000000000000000");
}

#[test]
pub(crate) fn becoming_who_one_is_needs_no_privilege() {
    let (uid, gid) = (rustix::process::getuid().as_raw(), rustix::process::getgid().as_raw());
    let groups =
        rustix::process::getgroups().unwrap().into_iter().map(rustix::process::Gid::as_raw).collect();
    let status = own_status(SpawnPlan { user: Some(Credentials { uid, gid, groups }), ..plan(&[]) });
    assert_eq!(status_line(&status, "Uid"), format!("{uid} {uid} {uid} {uid}"));
}

/// A plan that fails in `stage`.
fn assert_fails(plan: &SpawnPlan<'_>, stage: Stage, errno: i32, permanent: bool) {
    let (failure, status) = refused(plan);
    let SpawnFailure { stage: name, errno: number, detail, permanent: stays } = &failure;
    assert_eq!((name.as_str(), *number, *stays), (stage.name(), errno, permanent), "{detail}");
    assert_eq!(status, ExitStatus::Code(stage.exit_code().into()), "{detail}");
    let name = remuda_sys::errno::name(errno).unwrap();
    assert!(detail.contains(name), "{detail}");
}

#[test]
pub(crate) fn every_stage_that_fails_is_named_with_its_errno() {
    let sleep = plan(&["/bin/sleep", "60"]);
    let unlimited = ResourceLimit { name: "bananas".into(), soft: None, hard: None };
    let above = ResourceLimit { name: "nofile".into(), soft: Some(9), hard: Some(8) };
    for limits in [vec![unlimited], vec![above]] {
        assert_fails(&SpawnPlan { limits, ..sleep.clone() }, Stage::Limits, libc::EINVAL, true);
    }
    let directory = Some("/nowhere/at/all".into());
    assert_fails(&SpawnPlan { directory, ..sleep.clone() }, Stage::Directory, libc::ENOENT, true);
    assert_fails(&SpawnPlan { cpus: vec![1023], ..sleep.clone() }, Stage::Affinity, libc::EINVAL, true);
    assert_fails(&SpawnPlan { cpus: vec![u32::MAX], ..sleep.clone() }, Stage::Affinity, libc::EINVAL, true);
    let oom_score_adjust = Some(5000);
    assert_fails(&SpawnPlan { oom_score_adjust, ..sleep.clone() }, Stage::OomScore, libc::EINVAL, true);
    let read_only = File::open("/dev/null").unwrap();
    let cgroup_procs = Some(read_only.as_fd());
    assert_fails(&SpawnPlan { cgroup_procs, ..sleep.clone() }, Stage::Cgroup, libc::EBADF, true);
}

#[test]
pub(crate) fn nobody_becomes_a_user_that_means_no_change() {
    let sleep = plan(&["/bin/sleep", "60"]);
    let user = |uid, gid| Some(Credentials { uid, gid, groups: vec![] });
    assert_fails(&SpawnPlan { user: user(u32::MAX, 1), ..sleep.clone() }, Stage::User, libc::EINVAL, true);
    assert_fails(&SpawnPlan { user: user(1, u32::MAX), ..sleep }, Stage::Groups, libc::EINVAL, true);
}

#[test]
pub(crate) fn what_the_kernel_denies_is_a_failure_that_stays() {
    let sleep = plan(&["/bin/sleep", "60"]);
    let other = Some(Credentials { uid: 12_345, gid: 12_345, groups: vec![] });
    if is_root() {
        // The directory is entered as the user, who may not.
        let private = tempfile::tempdir().unwrap();
        fs::set_permissions(private.path(), fs::Permissions::from_mode(0o700)).unwrap();
        let directory = Some(private.path().into());
        assert_fails(&SpawnPlan { user: other, directory, ..sleep }, Stage::Directory, libc::EACCES, true);
    } else {
        assert_fails(&SpawnPlan { user: other, ..sleep.clone() }, Stage::Groups, libc::EPERM, true);
        assert_fails(&SpawnPlan { nice: Some(-20), ..sleep }, Stage::Nice, libc::EACCES, true);
    }
}

#[test]
pub(crate) fn a_failure_is_not_told_to_a_descriptor_of_the_program() {
    let pipe = pipe::log().unwrap();
    let passed = vec![pipe.writer.as_fd(); 40];
    let (failure, _) =
        refused(&SpawnPlan { passed, stdout: Some(pipe.writer.as_fd()), ..plan(&["/nowhere"]) });
    assert_eq!(failure.stage, "program");
    drop(pipe.writer);
    // Whoever started it may take a moment to let go of what it passed on.
    let limit = rustix::event::Timespec { tv_sec: 10, tv_nsec: 0 };
    let mut ended = [rustix::event::PollFd::new(&pipe.reader, rustix::event::PollFlags::IN)];
    assert_eq!(rustix::event::poll(&mut ended, Some(&limit)), Ok(1));
    let mut nothing = [0_u8; 16];
    assert_eq!(rustix::io::read(&pipe.reader, &mut nothing), Ok(0));
}
