//! Replicas: stores that become equal.

mod clock;
mod codec;
mod lifetimes;
mod model;
mod shelf;
mod stories;
mod world;
