//! Pictures of the machine.

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::Tick;

use crate::specs::{edit, empty_config};

#[test]
fn a_picture_shows_ages_as_of_the_time_of_asking_though_nothing_has_happened_since() {
    let mut config = empty_config();
    edit(&mut config, "web workers=1");
    let (mut arbiter, mut orders) = (Arbiter::new(1), Vec::new());
    arbiter.step(Tick(0), Input::Boot(Box::new(config)), &mut orders);
    let spawned = orders.iter().find_map(|order| match order {
        Order::Spawn { worker, .. } => Some(*worker),
        _ => None,
    });
    let worker = spawned.unwrap();
    arbiter.step(Tick(10), Input::Spawned { worker, pid: 1000 }, &mut orders);
    arbiter.step(Tick(10), Input::Running { worker }, &mut orders);
    arbiter.step(Tick(10), Input::Ready { worker }, &mut orders);
    let age = |now| arbiter.view(Tick(now))[0].workers[0].age_ms;
    assert_eq!(age(60_010) - age(10), 60_000);
}
