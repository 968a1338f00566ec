//! Findings from made-up machines.

use std::os::unix::fs::PermissionsExt;

use remuda_model::{Balance, Mode, SocketOptions, SocketSpec};

use super::config::{backlogs, effective_capabilities, migration, ports};
use super::machine::{kernel, pids, pipes, runtime_folder};
use super::{Finding, Verdict};

fn socket(listen: &str, mode: Mode) -> SocketSpec {
    SocketSpec {
        name: "web".parse().unwrap(),
        listen: listen.parse().unwrap(),
        mode,
        balance: Balance::Hash,
        options: SocketOptions::default(),
    }
}

#[test]
fn kernels_are_judged_by_what_they_can() {
    let verdict = |release| kernel(release).verdict;
    assert_eq!(verdict("4.19.0-27-amd64"), Verdict::Fail);
    assert_eq!(verdict("5.10.0"), Verdict::Warn);
    assert_eq!(verdict("5.14.0-362.el9"), Verdict::Ok);
    assert_eq!(verdict("6.1-rc3"), Verdict::Ok);
    assert_eq!(verdict("strange"), Verdict::Fail);
}

#[test]
fn a_backlog_above_the_kernels_limit_is_said() {
    let web = socket("127.0.0.1:80", Mode::Shared);
    assert_eq!(backlogs(&[&web], Some(128))[0].verdict, Verdict::Warn);
    assert_eq!(backlogs(&[&web], Some(4096))[0].verdict, Verdict::Ok);
    assert_eq!(backlogs(&[&socket("fd:3", Mode::Shared)], Some(1)), []);
}

#[test]
fn low_ports_need_the_capability() {
    let (low, high, any) =
        (socket("[::]:443", Mode::Shared), socket("[::]:8080", Mode::Shared), socket("[::]:0", Mode::Shared));
    let verdict = |sockets: &[&SocketSpec], first, capabilities| {
        ports(sockets, first, capabilities).map(|finding| finding.verdict)
    };
    assert_eq!(verdict(&[&low, &high], Some(1024), 0), Some(Verdict::Fail));
    assert_eq!(verdict(&[&low], Some(1024), 1 << 10), Some(Verdict::Ok));
    assert_eq!(verdict(&[&low], Some(0), 0), None);
    assert_eq!(verdict(&[&high, &any], None, 0), None);
    assert_eq!(effective_capabilities("Name:\tx\nCapEff:\t0000000000000400\n"), 1 << 10);
}

#[test]
fn migration_matters_to_per_worker_sockets_alone() {
    let verdict =
        |mode, migrate| migration(&[&socket("[::]:80", mode)], migrate).map(|finding| finding.verdict);
    assert_eq!(verdict(Mode::PerWorker, Some(0)), Some(Verdict::Warn));
    assert_eq!(verdict(Mode::PerWorker, Some(1)), Some(Verdict::Ok));
    assert_eq!(verdict(Mode::Shared, Some(0)), None);
}

#[test]
fn small_tables_are_warned_of() {
    assert_eq!(pids(Some(4096)).verdict, Verdict::Warn);
    assert_eq!(pids(Some(4_194_304)).verdict, Verdict::Ok);
    assert_eq!(pipes(Some(16_384), false).unwrap().verdict, Verdict::Warn);
    assert_eq!(pipes(Some(16_384), true), None);
    assert_eq!(pipes(Some(0), false).unwrap().verdict, Verdict::Ok);
}

#[test]
fn a_runtime_folder_of_somebody_else_is_no_place_for_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let own = remuda_sys::users::effective_user();
    assert_eq!(runtime_folder(folder.path(), own).verdict, Verdict::Ok);
    assert_eq!(runtime_folder(&folder.path().join("not/there/yet"), own).verdict, Verdict::Ok);
    assert_eq!(runtime_folder(folder.path(), own + 1).verdict, Verdict::Fail);
    std::fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o777)).unwrap();
    assert_eq!(runtime_folder(folder.path(), own).verdict, Verdict::Fail);
}

#[test]
fn a_finding_says_what_it_means_and_what_helps() {
    let finding = Finding::warn("somaxconn is 128", "queues are cut", "sysctl net.core.somaxconn=4096");
    let text = anstream::adapter::strip_str(&finding.render()).to_string();
    assert_eq!(text, "warn somaxconn is 128\n     queues are cut\n     fix: sysctl net.core.somaxconn=4096");
}
