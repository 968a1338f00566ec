//! The gateway: the built-in worker that serves the web in front of the others.
//!
//! One process, one thread, one event loop; the arbiter scales it like any service. What a request means is decided by
//! pure machines (routes, conditions on files, balancing, sessions); thin shells around them read and write.
//!
//! [`server`] takes connections and speaks HTTP with them; each request is one call of a [`server::Handler`].
//! [`routes`] says what a request means, [`serve`] does it.
//! [`files`] answers with files, [`upstream`] passes requests on, to whom [`balance`] decides; [`compress`] packs answers on
//! their way, [`tls`] and [`acme`] are about who may listen in; [`process`] is a worker's life around it all.

pub mod acme;
pub mod balance;
pub mod compress;
mod dispatch;
mod document;
pub mod files;
mod folder;
pub mod process;
pub mod realtime;
pub mod routes;
pub mod server;
pub mod tls;
pub mod upstream;

pub use dispatch::{Dispatch, serve};
pub use document::{openapi, page};
pub use folder::Folder;
