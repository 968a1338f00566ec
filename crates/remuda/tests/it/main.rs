//! The program against real peers, with real processes on a real kernel.
//!
//! Every test has an instance of its own in a folder of its own; see [`harness`].

#![allow(clippy::unwrap_used, clippy::panic, reason = "what a test cannot go on without fails it")]

mod autoscaling;
mod bad_days;
mod control;
mod crash;
mod dashboard;
mod demand;
mod demos;
mod descriptors;
mod doors;
mod failures;
mod foreign;
mod gateway;
mod harness;
mod hello;
mod herd_cli;
mod hold;
mod hooks;
mod hub;
mod hub_bad_days;
mod hub_broadcast;
mod hub_cli;
mod hub_durability;
mod hub_engines;
mod hub_handover;
mod hub_herd;
mod hub_lock_engines;
mod hub_locks;
mod hub_process;
mod hub_redis;
mod hub_zeromq;
mod idle;
mod log_devices;
mod logs;
mod messages;
mod peers;
mod readiness;
mod recycling;
mod retries;
mod run_herd;
mod services;
mod slots;
mod socket_files;
mod sockets;
mod spawner;
mod stopping;
mod storms;
mod successions;
mod surroundings;
mod upgrade;
mod whereabouts;
