//! Stores that become equal.
