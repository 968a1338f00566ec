//! The hub worker: bus and store behind ZeroMQ and Redis.
//!
//! One process, one thread that does everything but wait for the disk: what a client sends is carried out whole before the
//! next is looked at, so that the machines it drives ([`remuda_bus`], [`remuda_store`]) need no lock. The arbiter binds its
//! listeners, tells it its settings on standard input, and replaces it like any other worker.
//!
//! | module | what it holds |
//! |---|---|
//! | `run` | from the settings to the end |
//! | `hub`, `welcome`, `letters`, `due` | the loop |
//! | `connection`, `digest`, `outbox`, `stream`, `endpoint`, `table`, `timers` | connections |
//! | `redis`, `reply` | what Redis clients say, and hear |
//! | `zeromq`, `signature` | what ZeroMQ peers say, and hear |
//! | `core`, `access`, `events`, `news`, `complaints` | what all share |
//! | `engine` | a Redis or NATS in place of our own bus or store |
//! | `herd` | other servers |
//! | `handover` | from one hub to the next |
//! | `metrics`, `figures` | what a monitor sees |
//! | `journal`, `durability` | what the disk keeps |
//! | `locks` | leases with fencing tokens, and their own disk |
//! | `script` | Lua |

mod access;
mod complaints;
mod connection;
mod core;
mod digest;
mod due;
mod durability;
mod endpoint;
mod engine;
mod error;
mod events;
mod figures;
mod halves;
mod handover;
mod herd;
mod hub;
pub mod journal;
mod letters;
mod limits;
mod locks;
mod metrics;
mod news;
mod outbox;
mod redis;
mod reply;
mod run;
pub mod script;
mod signature;
mod stream;
mod table;
mod timers;
mod welcome;
mod zeromq;

pub use error::HubError;
pub use run::serve;
