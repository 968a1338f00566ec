//! What spreads, and who is there.

mod filter;
mod hostile;
mod membership;
mod model;
mod repair;
mod scale;
mod two;
