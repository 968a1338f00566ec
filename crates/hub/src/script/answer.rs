//! What scripts and the store say to each other.

pub use remuda_store::Answer;

/// How a command of a script is to be executed and answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CallMode {
    /// Commands that write are refused, with Redis' own text.
    pub is_read_only: bool,
    /// The shape of the answer: the version of RESP, 2 or 3, that the script asked for. 2 is the default.
    pub resp: u8,
}

/// Whoever executes the commands of a script.
pub trait Host {
    /// Executes one command and answers it; an error is an answer too. Blocking commands do not block.
    fn call(&mut self, command: &[&[u8]], mode: CallMode, answer: &mut dyn Answer);
    /// A line from `redis.log`, with a level of 0 (debug) to 3 (warning).
    fn log(&mut self, level: u8, line: &[u8]);
}
