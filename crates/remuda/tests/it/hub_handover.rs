//! From one hub to the next: nobody who is connected notices.

mod failing;
mod load;
mod moments;
