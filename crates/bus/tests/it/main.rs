//! The bus and the services from outside: scripts, a naive model beside the machine, and bounds under floods.

#![expect(clippy::unwrap_used, reason = "what these tests make cannot fail, and a test may panic")]

mod bundle;
mod consumers;
mod flood;
mod model;
mod script;
mod services;
mod world;
