//! The spawner: whatever holds for a program that we start ourselves, and its own ends and limits.

use std::fs;
use std::os::fd::AsFd;

use remuda_model::{ExitStatus, ResourceLimit, Signal};
use remuda_sys::event::Interest;
use remuda_sys::process;
use remuda_sys::spawn::{EnvironmentValue, SpawnError, SpawnPlan, Spawner, SpawnerError, StatusReport};

use crate::support::{Child, plan, read_all, spawner, through_spawner, wait_for};
use crate::{cgroup, program, set_up};

macro_rules! through_the_spawner {
    ($($home:ident::$test:ident,)*) => {
        $(#[test]
        fn $test() {
            through_spawner($home::$test);
        })*
    };
}

through_the_spawner! {
    program::no_other_descriptor_is_open_in_the_program,
    program::descriptors_arrive_in_order_even_when_their_numbers_are_each_others_targets,
    program::one_descriptor_may_be_passed_twice,
    program::listen_pid_is_the_programs_own_pid,
    program::sockets_reach_a_program_that_speaks_the_systemd_dialect,
    program::a_program_is_searched_in_the_path_it_gets,
    program::what_cannot_be_executed_is_explained,
    set_up::signals_are_neither_blocked_nor_ignored,
    set_up::umask_limits_and_niceness_are_as_planned,
    set_up::a_limit_with_room_for_the_passed_descriptors_alone_does_not_stop_their_moving,
    set_up::the_program_runs_in_its_directory_on_its_processor,
    set_up::sessions_and_groups_are_as_planned,
    set_up::no_new_privileges_is_set_only_when_asked,
    set_up::the_user_is_changed_whole,
    set_up::becoming_who_one_is_needs_no_privilege,
    set_up::every_stage_that_fails_is_named_with_its_errno,
    set_up::nobody_becomes_a_user_that_means_no_change,
    set_up::what_the_kernel_denies_is_a_failure_that_stays,
    set_up::a_failure_is_not_told_to_a_descriptor_of_the_program,
    cgroup::escapees_are_killed_without_a_control_group,
    cgroup::a_dead_leaders_escapees_are_still_found,
    cgroup::escapees_are_killed_through_their_control_group,
    cgroup::a_program_is_born_in_its_control_group_with_all_signals_at_their_default,
    cgroup::limits_that_cannot_be_applied_are_listed_with_the_reason,
}

/// Runs a plan to the end of its program.
fn run_through(spawner: &Spawner, plan: SpawnPlan<'_>) -> (String, ExitStatus) {
    let pipe = remuda_sys::pipe::log().unwrap();
    let child = Child(spawner.spawn(&SpawnPlan { stdout: Some(pipe.writer.as_fd()), ..plan }).unwrap());
    assert_eq!(child.report(), StatusReport::Execed);
    let status = child.wait();
    drop(pipe.writer);
    (read_all(pipe.reader.as_fd()), status)
}

fn open_descriptors(pid: u32) -> usize {
    fs::read_dir(format!("/proc/{pid}/fd")).unwrap().count()
}

/// A line of `/proc/PID/FILE`, in KiB.
fn kib(pid: u32, file: &str, key: &str) -> u64 {
    let text = fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
    let line = text.lines().find_map(|line| line.strip_prefix(key)).unwrap();
    line.split_whitespace().next().unwrap().parse().unwrap()
}

fn killed(spawner: &Spawner) {
    process::send_signal(spawner.pidfd(), Signal::KILL).unwrap();
    wait_for(spawner.pidfd(), Interest::Read);
}

#[test]
fn what_it_starts_is_our_child() {
    let spawner = spawner();
    let (output, status) = run_through(&spawner, plan(&["/bin/sh", "-c", "echo $PPID"]));
    assert_eq!((output, status), (format!("{}\n", std::process::id()), ExitStatus::Code(0)));
    spawner.finish().unwrap();
}

#[test]
fn thousands_of_programs_leave_no_descriptor_and_no_memory_behind() {
    let spawner = spawner();
    let once = |argv: &[&str]| {
        let child = Child(spawner.spawn(&plan(argv)).unwrap());
        // The end of the set-up, that is: a dead child was through it.
        child.wait()
    };
    let many = |times: usize| {
        for round in 0..times {
            let missing = round % 4 == 0;
            let expected = if missing { 214 } else { 0 };
            let program = if missing { "/nowhere/at/all" } else { "/bin/true" };
            assert_eq!(once(&[program]), ExitStatus::Code(expected));
        }
    };
    let resident = || kib(spawner.pid(), "status", "RssAnon:");
    many(300);
    let (ours, before) = (open_descriptors(std::process::id()), resident());
    many(2_000);
    let theirs = open_descriptors(spawner.pid());
    assert!(
        theirs <= 5,
        "{theirs} are more than 0 to 2, the link, and the last status pipe before it is closed"
    );
    // Other tests of this process may hold some.
    assert!(open_descriptors(std::process::id()) < ours + 500);
    let after = resident();
    assert!(
        after <= before + 64,
        "{before} KiB became {after} KiB: 2,000 programs left 32 bytes each, or more"
    );
    spawner.finish().unwrap();
}

#[test]
fn it_is_small() {
    let spawner = spawner();
    assert_eq!(run_through(&spawner, plan(&["/bin/true"])).1, ExitStatus::Code(0));
    let own = kib(spawner.pid(), "smaps_rollup", "Private_Dirty:");
    assert!(own < 1024, "{own} KiB are its own");
    spawner.finish().unwrap();
}

#[test]
fn a_killed_spawner_is_lost_and_what_it_started_lives_on() {
    let spawner = spawner();
    let child = Child(spawner.spawn(&plan(&["/bin/sleep", "60"])).unwrap());
    assert_eq!(child.report(), StatusReport::Execed);
    killed(&spawner);
    let lost = spawner.spawn(&plan(&["/bin/true"])).unwrap_err();
    assert!(matches!(lost, SpawnerError::Lost { .. }), "{lost}");
    assert_eq!(lost.to_string(), format!("the spawner (pid {}) has ended", spawner.pid()));
    assert_eq!(process::peek_exit(&child.0.pidfd), Ok(None));
    spawner.finish().unwrap();
}

#[test]
fn a_spawner_that_does_not_answer_is_killed_and_its_plan_is_never_carried_out() {
    let spawner = spawner();
    assert_eq!(run_through(&spawner, plan(&["/bin/true"])).1, ExitStatus::Code(0));
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("mark").display().to_string();
    process::send_signal(spawner.pidfd(), Signal::from_number(libc::SIGSTOP).unwrap()).unwrap();
    let lost = spawner.spawn(&plan(&["/usr/bin/touch", &mark])).unwrap_err();
    assert!(lost.to_string().contains("was killed: wait for the other side of a link"), "{lost}");
    wait_for(spawner.pidfd(), Interest::Read);
    spawner.finish().unwrap();
    assert!(!fs::exists(&mark).unwrap());
}

#[test]
fn it_ends_when_nobody_can_ask_any_more() {
    let spawner = spawner();
    let pidfd = spawner.pidfd().try_clone_to_owned().unwrap();
    drop(spawner);
    wait_for(pidfd.as_fd(), Interest::Read);
    assert_eq!(process::peek_exit(&pidfd), Ok(Some(ExitStatus::Code(0))));
    process::reap(&pidfd).unwrap();
}

#[test]
fn a_signal_to_the_whole_group_does_not_end_it() {
    let spawner = spawner();
    assert_eq!(run_through(&spawner, plan(&["/bin/true"])).1, ExitStatus::Code(0));
    for signal in ["TERM", "INT", "HUP", "USR1"] {
        process::send_signal(spawner.pidfd(), signal.parse().unwrap()).unwrap();
    }
    assert_eq!(run_through(&spawner, plan(&["/bin/true"])).1, ExitStatus::Code(0));
    spawner.finish().unwrap();
}

#[test]
fn a_plan_that_is_longer_than_a_message_is_carried_out() {
    let spawner = spawner();
    let value = "x".repeat(100_000);
    let environment = (0..3)
        .map(|number| (format!("LONG{number}").into(), EnvironmentValue::Text(value.clone().into())))
        .collect();
    let (output, status) = run_through(
        &spawner,
        SpawnPlan { environment, ..plan(&["/bin/sh", "-c", "echo ${#LONG0}${#LONG2}"]) },
    );
    assert_eq!((output.as_str(), status), ("100000100000\n", ExitStatus::Code(0)));
    spawner.finish().unwrap();
}

#[test]
fn a_plan_with_more_descriptors_than_a_message_carries_is_handed_back() {
    let spawner = spawner();
    let null = fs::File::open("/dev/null").unwrap();
    let plan_of = |passed| SpawnPlan { passed: vec![null.as_fd(); passed], ..plan(&["/bin/true"]) };
    let unfit = spawner.spawn(&plan_of(300)).unwrap_err();
    assert!(matches!(unfit, SpawnerError::Unfit(_)), "{unfit}");
    assert_eq!(run_through(&spawner, plan_of(240)).1, ExitStatus::Code(0), "it goes on");
    let child = Child(remuda_sys::spawn::spawn(&plan_of(300)).unwrap());
    assert_eq!(child.report(), StatusReport::Execed);
    spawner.finish().unwrap();
}

#[test]
fn no_process_is_asked_for_without_a_program() {
    let spawner = spawner();
    let refused = spawner.spawn(&plan(&[])).unwrap_err();
    assert!(matches!(refused, SpawnerError::Plan(SpawnError::NoProgram)), "{refused}");
    spawner.finish().unwrap();
}

#[test]
fn a_spawner_whose_child_dies_in_its_set_up_does_not_build_on_what_that_left() {
    let spawner = spawner();
    // More variables than a process without room for memory can write down: it gives up in the middle.
    let limits = vec![ResourceLimit { name: "as".into(), soft: Some(4096), hard: Some(4096) }];
    let value = EnvironmentValue::Text("x".repeat(100_000).into());
    let environment = (0..20).map(|number| (format!("LONG{number}").into(), value.clone())).collect();
    let child = Child(spawner.spawn(&SpawnPlan { limits, environment, ..plan(&["/bin/true"]) }).unwrap());
    assert!(matches!(child.wait(), ExitStatus::Signal { .. }));
    wait_for(spawner.pidfd(), Interest::Read);
    assert_eq!(process::peek_exit(spawner.pidfd()), Ok(Some(ExitStatus::Code(0))));
    assert!(matches!(spawner.spawn(&plan(&["/bin/true"])), Err(SpawnerError::Lost { .. })));
    spawner.finish().unwrap();
}
