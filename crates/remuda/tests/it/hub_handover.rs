//! From one hub to the next: nobody who is connected notices.

pub(crate) mod failing;
mod keeping;
mod load;
mod moments;
