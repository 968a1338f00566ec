//! The dashboard: pages for a browser, and a door to the control API for them.
//!
//! The pages are built from `dashboard/` and lie in the program ([`Pages`]). [`serve()`] listens, lets people in by their
//! tokens ([`Keys`]), and hands what their browsers ask to the very control API that answers at the Unix
//! socket: who operates can do what the command line can, who views can only ask, and nobody can do more.

mod attempts;
mod door;
mod guard;
mod keys;
mod pages;
mod place;
mod serve;
mod session;
mod token;

pub use door::Body;
pub use keys::{Keys, KeysError};
pub use pages::Pages;
pub use place::Place;
pub use serve::{Opened, ServeError, serve};
pub use token::{Role, Token};
