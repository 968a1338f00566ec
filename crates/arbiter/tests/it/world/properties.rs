//! Random operators in random weather.

use std::time::Duration;

use proptest::prelude::{Just, Strategy, prop, prop_oneof, proptest};
use proptest::test_runner::Config as Runner;
use remuda_arbiter::{Input, plan};
use remuda_model::view::ServicePhase;
use remuda_model::{Config, NotifyMessage, Request, Signal, StopScope, Target, Tick, WorkerId};

use super::{Weather, World};
use crate::specs::{edit, empty_config, name};

const NAMES: [&str; 4] = ["api", "db", "job", "web"];

/// What a service may be made of; each line is one choice.
const KEYS: [&str; 33] = [
    "workers=0",
    "workers=1",
    "workers=2",
    "workers=4",
    "surge=3",
    "no_canary",
    "bake=500ms",
    "bake=2s",
    "oneshot",
    "restart=never",
    "restart=on-failure",
    "priority=5",
    "ready_timeout=2s",
    "reload_timeout=1s",
    "stop_timeout=1s",
    "watchdog=8s",
    "give_up_after=4",
    "crash_loop_after=3",
    "on_demand=3s",
    "schedule=skip",
    "schedule=queue",
    "schedule=replace",
    "sockets=web",
    "scaling=1..4:backlog",
    "scaling=2..3:cpu",
    "max_age=20s",
    "max_requests=100",
    "before_start=abort",
    "after_start=abort",
    "before_spawn=abort",
    "after_spawn=abort",
    "before_stop=ignore",
    "before_reap=ignore",
];

#[derive(Debug, Clone)]
enum Act {
    Pass(u64),
    Start(usize),
    StartAll,
    Stop(usize),
    Restart(usize, Option<u32>),
    Reload(usize, Option<u32>),
    ReloadAll,
    Scale(usize, u32),
    Hold(usize, u64),
    Release(usize),
    Hup(usize),
    Apply(Vec<(usize, usize)>),
    Remove(usize),
    Singleton(usize),
    Requests(u64),
    Stray(u64),
    Successor,
    Crash,
    Shutdown,
    KillAll,
}

fn acts() -> impl Strategy<Value = Vec<Act>> {
    let which = 0..NAMES.len();
    let slot = prop_oneof![Just(None), (0_u32..3).prop_map(Some)];
    let edits = prop::collection::vec((0..NAMES.len(), 0..KEYS.len()), 1..3);
    let act = prop_oneof![
        8 => (0_u64..8_000).prop_map(Act::Pass),
        8 => (0_u64..200).prop_map(Act::Pass),
        2 => which.clone().prop_map(Act::Start),
        1 => Just(Act::StartAll),
        2 => which.clone().prop_map(Act::Stop),
        3 => (which.clone(), slot.clone()).prop_map(|(which, slot)| Act::Restart(which, slot)),
        4 => (which.clone(), slot).prop_map(|(which, slot)| Act::Reload(which, slot)),
        1 => Just(Act::ReloadAll),
        3 => (which.clone(), 0_u32..5).prop_map(|(which, to)| Act::Scale(which, to)),
        2 => (which.clone(), 0_u64..10_000).prop_map(|(which, millis)| Act::Hold(which, millis)),
        1 => which.clone().prop_map(Act::Release),
        1 => which.clone().prop_map(Act::Hup),
        3 => edits.prop_map(Act::Apply),
        1 => which.clone().prop_map(Act::Remove),
        1 => which.prop_map(Act::Singleton),
        1 => (1_u64..30).prop_map(Act::Requests),
        1 => (1_u64..30).prop_map(Act::Stray),
        1 => Just(Act::Successor),
        2 => Just(Act::Crash),
    ];
    prop::collection::vec(act, 1..40)
}

/// Lines that make a config: a service and a key each.
fn configs() -> impl Strategy<Value = Vec<(usize, &'static str)>> {
    let keys = (0..NAMES.len(), 0..KEYS.len()).prop_map(|(which, key)| (which, KEYS[key]));
    let singletons = prop::collection::vec((0..NAMES.len()).prop_map(|which| (which, "singleton")), 0..2);
    let hub = vec![(1, "is_hub"), (3, "hub_user"), (3, "after=db"), (0, "hub_user"), (0, "after=db")];
    let chain = prop_oneof![Just(vec![]), Just(vec![(3, "after=api"), (0, "after=db,job")]), Just(hub)];
    (prop::collection::vec(keys, 0..10), singletons, chain)
        .prop_map(|(keys, singletons, chain)| keys.into_iter().chain(singletons).chain(chain).collect())
}

fn config(lines: &[(usize, &str)]) -> Config {
    let mut config = empty_config();
    NAMES.iter().for_each(|known| edit(&mut config, known));
    lines.iter().for_each(|(which, key)| change(&mut config, NAMES[*which], key));
    config
}

/// Changes a key as a checked config may have it: a singleton has at most one worker, and what has one run or one worker
/// does not scale.
fn change(config: &mut Config, which: &str, key: &str) {
    let spec = config.services.get(which);
    let single = spec.is_some_and(|spec| spec.singleton);
    let single_run = spec.is_some_and(|spec| spec.oneshot || spec.schedule.is_some());
    let scales = key.starts_with("scaling=");
    if key == "singleton" {
        edit(config, &format!("{which} singleton scaling=none workers=1"));
    } else if key == "oneshot" || key.starts_with("schedule=") || key.starts_with("workers=") && !single {
        edit(config, &format!("{which} scaling=none {key}"));
    } else if !(single && key.starts_with("workers=") || scales && (single || single_run)) {
        edit(config, &format!("{which} {key}"));
    }
}

fn act(world: &mut World, config: &mut Config, act: Act) {
    let target = |which: usize, slot| Target { service: name(NAMES[which]), slot };
    let known = |which: &usize| config.services.contains_key(NAMES[*which]);
    let request = match act {
        Act::Pass(millis) => return world.live_until(Tick(world.now.0 + millis)),
        Act::Start(which) => Request::Start(vec![name(NAMES[which])]),
        Act::StartAll => Request::Start(config.services.keys().cloned().collect()),
        Act::Stop(which) => Request::Stop(vec![name(NAMES[which])]),
        Act::Restart(which, slot) => Request::Restart(vec![target(which, slot)]),
        Act::Reload(which, slot) => Request::Reload(vec![target(which, slot)]),
        Act::ReloadAll => {
            Request::Reload((0..NAMES.len()).filter(known).map(|which| target(which, None)).collect())
        }
        Act::Scale(which, to) => Request::Scale { service: name(NAMES[which]), to },
        Act::Hold(which, millis) => {
            Request::Hold { service: name(NAMES[which]), lasting: Duration::from_millis(millis) }
        }
        Act::Release(which) => Request::Release(name(NAMES[which])),
        Act::Hup(which) => Request::Signal {
            targets: vec![target(which, None)],
            signal: Signal::HUP,
            scope: StopScope::Main,
        },
        Act::Apply(edits) => {
            let mut new = config.clone();
            for (which, key) in edits {
                change(&mut new, NAMES[which], KEYS[key]);
                edit(&mut new, &format!("{} command=v{}", NAMES[which], world.now.0 % 3));
            }
            return apply(world, config, new);
        }
        Act::Remove(which) => {
            let mut new = config.clone();
            new.services.remove(NAMES[which]);
            return apply(world, config, new);
        }
        Act::Singleton(which) => {
            let mut new = config.clone();
            change(&mut new, NAMES[which], "singleton");
            return apply(world, config, new);
        }
        Act::Requests(worker) => {
            let message = NotifyMessage::Requests(500);
            return world.step(Input::Notify { worker: WorkerId(worker), message });
        }
        Act::Stray(worker) => {
            world.step(Input::Ready { worker: WorkerId(worker + 100_000) });
            world.step(Input::HookDone { id: worker + 100_000, outcome: remuda_model::HookOutcome::Passed });
            return world.step(Input::Demand { service: name("nobody") });
        }
        Act::Successor => return world.replace_machine(),
        Act::Crash => return world.crash(),
        Act::Shutdown => Request::Shutdown,
        Act::KillAll => return world.step(Input::KillAll),
    };
    ask(world, config, request);
}

fn ask(world: &mut World, config: &Config, request: Request) {
    let heard = !world.arbiter.is_stopping();
    match &request {
        _ if !heard => {}
        Request::Stop(names) if names.iter().all(|name| config.services.contains_key(name)) => {
            world.stopped_by_operator.extend(names.iter().cloned());
        }
        Request::Start(names) => world.stopped_by_operator.retain(|name| !names.contains(name)),
        Request::Restart(targets) => {
            world.stopped_by_operator.retain(|name| !targets.iter().any(|target| target.service == *name));
        }
        _ => {}
    }
    let id = world.request_id();
    world.step(Input::Request { id, request });
}

fn apply(world: &mut World, config: &mut Config, new: Config) {
    let plan = plan(config, &new);
    world
        .stopped_by_operator
        .retain(|name| new.services.contains_key(name) && config.services.contains_key(name));
    let id = world.request_id();
    *config = new.clone();
    world.step(Input::Apply { id, config: Box::new(new), plan });
}

fn minutes(world: &World, minutes: u64) -> Tick {
    world.now + Duration::from_secs(60 * minutes)
}

/// In good weather every service that is asked to run comes to where it belongs, and every request has its answer.
fn recovers(world: &mut World, config: &Config) {
    world.weather = Weather::CALM;
    // What the weather left behind ends: the stuck, the deaf, the never ready, and every hold.
    world.live_until(minutes(world, 10));
    let held = world.arbiter.view(world.now).into_iter().find(|service| service.held_for_ms.is_some());
    world.hold(held.is_none(), || format!("{held:?} is held for ever"));
    ask(world, config, Request::Start(config.services.keys().cloned().collect()));
    world.live_until(minutes(world, 10));
    let unanswered = world.unanswered();
    world.hold(unanswered.is_empty(), || format!("{unanswered:?} are not answered"));
    for service in world.arbiter.view(world.now) {
        let spec = &config.services[&service.name];
        let rests = spec.on_demand.is_some() || spec.schedule.is_some() || spec.oneshot;
        let well = match service.phase {
            ServicePhase::Running => true,
            ServicePhase::Done => rests || spec.restart != remuda_model::Restart::Always,
            ServicePhase::Idle | ServicePhase::Scheduled => rests,
            ServicePhase::Starting | ServicePhase::Stopping => rests,
            ServicePhase::Degraded => rests || spec.singleton && spec.recycle.max_age.is_some(),
            ServicePhase::Reloading => spec.recycle.max_age.is_some(),
            // Between two runs of a scheduled one, who comes after it waits.
            ServicePhase::Waiting => config.services.values().any(|spec| spec.schedule.is_some()),
            ServicePhase::Stopped | ServicePhase::CrashLoop | ServicePhase::Failed => false,
            ServicePhase::Held => false,
        };
        world.hold(well, || format!("{} is {} in good weather: {service:?}", service.name, service.phase));
    }
}

fn ends(world: &mut World) {
    world.live_until(minutes(world, 10));
    let (living, exits) = (world.living(), world.exits.clone());
    world.hold(exits.len() == 1, || format!("the arbiter ended {exits:?}"));
    world.hold(living == 0, || format!("{living} processes outlive the arbiter"));
    let unanswered = world.unanswered();
    world.hold(unanswered.is_empty(), || format!("{unanswered:?} are not answered"));
}

fn play(seed: u64, weather: Weather, lines: &[(usize, &str)], script: Vec<Act>) -> (World, Config) {
    let mut config = config(lines);
    let mut world = World::new(seed, weather, config.clone());
    script.into_iter().for_each(|one| act(&mut world, &mut config, one));
    (world, config)
}

proptest! {
    #![proptest_config(Runner { failure_persistence: None, ..Runner::default() })]

    #[test]
    fn it_keeps_its_promises_in_rough_weather_and_recovers(lines in configs(), seed: u64, script in acts()) {
        let (mut world, config) = play(seed, Weather::ROUGH, &lines, script);
        recovers(&mut world, &config);
        ask(&mut world, &config, Request::Shutdown);
        ends(&mut world);
    }

    #[test]
    fn it_keeps_its_promises_in_good_weather(lines in configs(), seed: u64, script in acts()) {
        let (mut world, config) = play(seed, Weather::CALM, &lines, script);
        recovers(&mut world, &config);
        ask(&mut world, &config, Request::Shutdown);
        ends(&mut world);
    }

    #[test]
    fn a_shutdown_in_the_middle_leaves_nobody(
        lines in configs(), seed: u64, before in acts(), after in acts(), kill: bool,
    ) {
        let (mut world, mut config) = play(seed, Weather::ROUGH, &lines, before);
        world.weather.ignores_kill = 0;
        act(&mut world, &mut config, if kill { Act::KillAll } else { Act::Shutdown });
        after.into_iter().for_each(|one| act(&mut world, &mut config, one));
        ends(&mut world);
    }

    #[test]
    fn a_machine_from_a_snapshot_gives_the_same_orders(
        lines in configs(), seed: u64, before in acts(), after in acts(),
    ) {
        let script = |act: Option<Act>| before.iter().cloned().chain(act).chain(after.clone()).collect();
        let (one, _) = play(seed, Weather::ROUGH, &lines, script(None));
        let (other, _) = play(seed, Weather::ROUGH, &lines, script(Some(Act::Successor)));
        assert_eq!(one.history, other.history);
    }

    #[test]
    fn the_same_inputs_give_the_same_orders(lines in configs(), seed: u64, script in acts()) {
        let (one, _) = play(seed, Weather::ROUGH, &lines, script.clone());
        let (other, _) = play(seed, Weather::ROUGH, &lines, script);
        assert_eq!(one.history, other.history);
    }
}
