//! Which route a request takes, and what routes ask of requests: pure rules, without clocks or sockets.
//!
//! A [`Table`] is made of a spec once. Looking up is a walk down a tree of segments for the host, without allocation:
//! what a parameter took is a place in the path. Among the routes that fit, the most specific one wins: host, then path
//! segment by segment (a text before a parameter before the rest), then a method before none, then more conditions
//! before fewer, and at last the order of the file. That order is the same one in [`Table::find`], in
//! [`Table::explain`], and in the naive matcher of the tests.

mod auth_file;
mod conditions;
mod cors;
mod explain;
mod parameters;
mod query;
mod rate;
mod render;
mod table;
mod tree;
mod values;

pub use auth_file::{Password, PasswordTable};
pub use conditions::{cookie_value, star_matches};
pub use cors::{Cors, CorsAnswer};
pub use explain::{Explanation, Verdict};
pub use parameters::{ParameterCheck, ParameterError};
pub use query::{query_pairs, query_value};
pub use rate::{RateLimiter, Throttled};
pub use render::{Place, render};
pub use table::{Captures, Found, Match, Subject, Table};
pub use values::Values;

#[cfg(test)]
pub(crate) mod tests;
