//! The herd from outside: worlds of many nodes, models beside them, and what hostile peers may send.

#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking, in its supports too")]

mod replica;
mod spread;
