//! The difference between two configs.

use proptest::prelude::{Strategy, prop, proptest};
use remuda_arbiter::plan;
use remuda_model::{Balance, Change, Config, Mode, Plan, SocketName, SocketOptions, SocketSpec};

use crate::specs::{edit, empty_config};

fn config(lines: &[&str]) -> Config {
    let mut config = empty_config();
    lines.iter().for_each(|line| edit(&mut config, line));
    config
}

fn with_socket(mut config: Config, listen: &str, change: impl FnOnce(&mut SocketSpec)) -> Config {
    let name = SocketName::new("http").unwrap();
    let options = SocketOptions::default();
    let mut spec = SocketSpec {
        name: name.clone(),
        listen: listen.parse().unwrap(),
        mode: Mode::Shared,
        balance: Balance::Hash,
        options,
    };
    change(&mut spec);
    config.sockets.insert(name.clone(), spec);
    if let Some(web) = config.services.get_mut("web") {
        let mut spec = (**web).clone();
        spec.sockets = vec![name];
        *web = spec.into();
    }
    config
}

fn changes(old: &[&str], new: &[&str]) -> Vec<String> {
    plan(&config(old), &config(new)).lines()
}

fn keys(keys: &[&str]) -> Vec<String> {
    keys.iter().map(|key| (*key).to_owned()).collect()
}

#[test]
fn what_comes_and_goes_is_added_and_removed() {
    assert_eq!(changes(&["old", "web"], &["new", "web"]), ["+ service new", "- service old"]);
}

#[test]
fn another_number_of_workers_scales() {
    assert_eq!(changes(&["web workers=2"], &["web workers=5"]), ["~ service web: workers 2 -> 5"]);
}

#[test]
fn what_a_worker_was_given_when_it_was_spawned_replaces_it() {
    for key in ["command=new", "singleton", "oneshot", "watchdog=3s", "on_demand=5s", "schedule=skip"] {
        let plan = plan(&config(&["web"]), &config(&[&format!("web {key}")]));
        assert!(matches!(plan.services[0].change, Change::Replaced { .. }), "{key}: {plan:?}");
    }
}

#[test]
fn what_the_arbiter_itself_does_touches_no_worker() {
    let keys = [
        "manual",
        "after=db",
        "priority=3",
        "ready_timeout=1s",
        "surge=2",
        "stop_timeout=1s",
        "restart=never",
    ];
    let more = ["success=3", "cap=1s", "max_age=1s", "before_start=abort"];
    for key in keys.into_iter().chain(more) {
        let plan = plan(&config(&["web"]), &config(&[&format!("web {key}")]));
        assert!(matches!(plan.services[0].change, Change::Adjusted { .. }), "{key}: {plan:?}");
    }
}

#[test]
fn a_changed_time_of_a_schedule_or_of_idleness_touches_no_worker() {
    for (old, new) in [("schedule=skip", "schedule=queue"), ("on_demand=5s", "on_demand=9s")] {
        let plan = plan(&config(&[&format!("web {old}")]), &config(&[&format!("web {new}")]));
        assert!(matches!(plan.services[0].change, Change::Adjusted { .. }), "{new}: {plan:?}");
    }
}

#[test]
fn a_replacement_with_another_number_of_workers_names_both() {
    let plan = plan(&config(&["web"]), &config(&["web command=new workers=3"]));
    assert_eq!(plan.services[0].change, Change::Replaced { keys: keys(&["command", "workers"]) });
}

#[test]
fn a_number_that_follows_the_load_is_bounded_and_no_worker_is_touched_by_that() {
    let change = |old: &str, new: &str| plan(&config(&[old]), &config(&[new])).services[0].change.clone();
    let bounded = Change::Bounded { min: 2, max: 8 };
    assert_eq!(change("web workers=4", "web scaling=2..8:backlog"), bounded);
    assert_eq!(change("web scaling=1..3:cpu", "web scaling=2..8:cpu"), bounded);
    assert_eq!(change("web scaling=2..8:cpu", "web scaling=2..8:backlog"), bounded);
    assert_eq!(change("web scaling=2..8:cpu", "web workers=2"), Change::Scaled { from: 2, to: 2 });
    let both = change("web scaling=2..8:cpu", "web scaling=2..9:cpu command=new");
    assert_eq!(both, Change::Replaced { keys: keys(&["command", "workers"]) });
}

#[test]
fn a_socket_that_is_bound_anew_replaces_the_services_that_use_it_and_no_other() {
    let old = with_socket(config(&["web", "api"]), "127.0.0.1:8080", |_| {});
    let new = with_socket(config(&["web", "api"]), "127.0.0.1:9090", |_| {});
    let plan = plan(&old, &new);
    assert_eq!(plan.sockets[0].change, Change::Replaced { keys: keys(&["listen"]) });
    assert_eq!(plan.services.len(), 1);
    assert_eq!(plan.services[0].name.as_str(), "web");
    assert_eq!(plan.services[0].change, Change::Replaced { keys: keys(&["socket address"]) });
}

#[test]
fn an_option_that_can_be_set_on_a_bound_socket_replaces_nobody() {
    let old = with_socket(config(&["web"]), "127.0.0.1:8080", |_| {});
    let new = with_socket(config(&["web"]), "127.0.0.1:8080", |spec| spec.options.backlog = 9);
    let plan = plan(&old, &new);
    assert!(matches!(plan.sockets[0].change, Change::Adjusted { .. }), "{plan:?}");
    assert!(plan.services.is_empty());
}

#[test]
fn keys_of_the_instance_wait_for_a_restart_unless_the_machine_reads_them() {
    let mut new = config(&["web"]);
    new.instance.log_memory = 1;
    new.instance.workers_max = 7;
    new.instance.stop_timeout = Some(std::time::Duration::from_secs(1));
    assert_eq!(plan(&config(&["web"]), &new).instance, ["remuda.log_memory"]);
}

const KEYS: [&str; 9] = [
    "workers=2",
    "workers=4",
    "command=new",
    "singleton",
    "oneshot",
    "surge=2",
    "after=db",
    "max_age=9s",
    "schedule=queue",
];

fn configs() -> impl Strategy<Value = Config> {
    prop::collection::vec((0..4_usize, 0..KEYS.len()), 0..12).prop_map(|edits| {
        let mut config = empty_config();
        for (which, key) in edits {
            edit(&mut config, &format!("{} {}", ["api", "db", "job", "web"][which], KEYS[key]));
        }
        config
    })
}

proptest! {
    #[test]
    fn there_is_nothing_to_do_between_a_config_and_itself(config in configs()) {
        assert_eq!(plan(&config, &config), Plan::default());
    }

    #[test]
    fn every_service_that_differs_is_named_once_and_no_other(old in configs(), new in configs()) {
        let named: Vec<_> = plan(&old, &new).services.into_iter().map(|change| change.name).collect();
        let mut differ: Vec<_> = old.services.keys().chain(new.services.keys()).cloned().collect();
        differ.sort();
        differ.dedup();
        differ.retain(|name| old.services.get(name) != new.services.get(name));
        assert_eq!(named, differ);
    }

    #[test]
    fn the_way_back_undoes_the_way_there(old in configs(), new in configs()) {
        let there = plan(&old, &new).services;
        let back = plan(&new, &old).services;
        for (there, back) in there.into_iter().zip(back) {
            let expected = match there.change {
                Change::Added => Change::Removed,
                Change::Removed => Change::Added,
                Change::Scaled { from, to } => Change::Scaled { from: to, to: from },
                same @ (Change::Bounded { .. } | Change::Adjusted { .. } | Change::Replaced { .. }) => same,
            };
            assert_eq!(back.change, expected);
        }
    }
}
