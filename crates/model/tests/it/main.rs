//! The words read back as they were written, and refuse what they are not.

mod address;
mod name;
mod signal;
