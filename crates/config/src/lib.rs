//! Text to model.
//!
//! ```text
//! text --read--> raw::File --resolve--> model::Config --effective--> text
//!   foreign text --import--^
//! ```
//!
//! - [`raw`] declares the keys. The [`schema()`], the reference page and the hints for misspelt keys come from there.
//! - [`load()`] and [`load_text`] read the native format; [`foreign`] reads those of other systems. All that is wrong
//!   comes back at once as a [`Report`], with lines and carets.
//! - [`effective()`] prints a config with every default in it; it reads back as the same config.
//! - [`substitute`] fills in at spawn what no config can know; [`schedule`] tells when a scheduled service is due.
//!
//! Nothing here looks up variables, users or CPUs: the caller says so in [`Surroundings`]. Files are read only when
//! the config names them.

mod effective;
pub mod env_file;
pub mod foreign;
pub mod init;
mod interpolate;
mod json_schema;
mod load;
mod nearest;
pub mod raw;
mod read;
mod reference;
mod report;
mod resolve;
pub mod schedule;
mod schema;
mod source;
pub mod substitute;

pub use effective::effective;
pub use load::{folder_of, load, load_text, read_file};
pub use reference::reference;
pub use report::{Problem, Report, Severity, Style};
pub use resolve::{Loaded, Masked, Origin, Surroundings, resolve};
pub use schema::schema;
pub use source::{Place, Sources};
