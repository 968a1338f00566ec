//! Many workers: the work of the machine grows with what happens, not with how much there is.

use remuda_arbiter::{Arbiter, Input, Order};
use remuda_model::view::ServicePhase;
use remuda_model::{Tick, WorkerId};

use crate::specs::{edit, empty_config};

/// Boots `services` of `workers` each; returns how many orders that took.
fn boots(services: u32, workers: u32) -> usize {
    let mut config = empty_config();
    (0..services).for_each(|number| edit(&mut config, &format!("web{number} workers={workers}")));
    let mut arbiter = Arbiter::new(1);
    let mut orders = Vec::new();
    arbiter.step(Tick(0), Input::Boot(Box::new(config)), &mut orders);
    let is_spawn = |order: &Order| if let Order::Spawn { worker, .. } = order { Some(*worker) } else { None };
    let spawned: Vec<WorkerId> = orders.iter().filter_map(is_spawn).collect();
    assert_eq!(spawned.len(), usize::try_from(services * workers).unwrap());
    for (worker, pid) in spawned.into_iter().zip(1000..) {
        arbiter.step(Tick(1), Input::Spawned { worker, pid }, &mut orders);
        arbiter.step(Tick(2), Input::Running { worker }, &mut orders);
        arbiter.step(Tick(3), Input::Ready { worker }, &mut orders);
    }
    assert!(arbiter.view(Tick(3)).iter().all(|service| service.phase == ServicePhase::Running));
    orders.len()
}

#[test]
fn a_thousand_workers_of_one_service_come_up_with_a_bounded_number_of_orders_each() {
    let started = std::time::Instant::now();
    let orders = boots(1, 1000);
    println!("1 service of 1000 workers: {orders} orders in {:?}", started.elapsed());
    assert_eq!(orders, 1000 * 5 + 2);
}

#[test]
fn a_thousand_services_of_one_worker_come_up_with_a_bounded_number_of_orders_each() {
    let started = std::time::Instant::now();
    let orders = boots(1000, 1);
    println!("1000 services of 1 worker: {orders} orders in {:?}", started.elapsed());
    assert_eq!(orders, 1000 * 7);
}
