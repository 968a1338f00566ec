//! Scripts in Lua 5.1, as Redis 7 runs them: `EVAL`, `EVALSHA`, their `_RO` forms and `SCRIPT`.
//!
//! One state for all scripts, a table of globals for each run; compiled functions are kept by the SHA-1 of their text.
//! A script runs on the loop, so that it is atomic as clients expect, and so it is limited: in time (5 s; it is ended
//! then, and what it wrote stays, since nothing can be undone), in memory, in length. Where Redis lets other clients
//! ask for `SCRIPT KILL`, here nobody waits longer than the limit.
//!
//! Differences that a script can see: libraries are userdata (`type(cjson)`), so that no script can change them for
//! others; `setfenv`, `getfenv`, `string.dump`, `print` and byte code are not there; the settings of `cjson` are
//! fixed, it refuses numbers that JSON has not, and it nests up to 128 values deep; what is packed, and what is
//! answered, has an end (`room`); patterns are matched by our own code, which has the limits that Lua's has not;
//! `table.insert` takes no position below 1.

mod answer;
mod bits;
mod bounds;
mod failure;
mod json;
mod library;
mod msgpack;
mod numbers;
mod outcome;
mod pack;
mod patterns;
mod random;
mod redis;
mod reply;
mod room;
mod state;
mod tables;
#[cfg(test)]
mod tests;
mod text;

use std::collections::HashMap;
use std::time::Duration;

use mlua::Function;
use remuda_model::hub::to_hex;
use sha1::{Digest, Sha1};

use state::{Ended, Part, Run, State};

pub use answer::{Answer, CallMode, Host};

/// What scripts may use.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// How long a script may run; default 5 s, after which Redis answers `BUSY` to others.
    pub time_max: Duration,
    /// Memory of the state, all compiled scripts included; default 64 MiB.
    pub memory_max_bytes: usize,
    /// Length of a script; default 1 MiB.
    pub source_max_bytes: usize,
    /// Scripts of `EVAL` that are kept compiled; the least recently used one goes, and so it does where the scripts
    /// that are kept fill half of the memory. Default 500, as Redis 7.4 has it.
    pub evaluated_max: usize,
    /// Scripts of `SCRIPT LOAD`, which stay until `SCRIPT FLUSH`; more are refused, and so are those that would fill
    /// more than a quarter of the memory. Default 10,000.
    pub loaded_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            time_max: Duration::from_secs(5),
            memory_max_bytes: 64 << 20,
            source_max_bytes: 1 << 20,
            evaluated_max: 500,
            loaded_max: 10_000,
        }
    }
}

/// The state could not be made: memory below what Lua itself needs.
#[derive(Debug, thiserror::Error)]
#[error("make the Lua state within {memory_max_bytes} bytes: {why}")]
pub struct SetupError {
    /// What it may use.
    pub memory_max_bytes: usize,
    /// What Lua said.
    pub why: String,
}

/// A script's name: the 40 digits of the SHA-1 of its text, in lower case.
pub type Sha = [u8; 40];

/// Which script is to run.
#[derive(Debug, Clone, Copy)]
pub enum Source<'a> {
    /// Its text: `EVAL`.
    Text(&'a [u8]),
    /// Its SHA-1, in either case: `EVALSHA`.
    Sha(&'a [u8]),
}

/// A script and what it is given.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The script.
    pub source: Source<'a>,
    /// `KEYS`.
    pub keys: &'a [&'a [u8]],
    /// `ARGV`.
    pub arguments: &'a [&'a [u8]],
    /// Whether it came as `EVAL_RO` or `EVALSHA_RO`.
    pub is_read_only: bool,
}

/// All scripts.
#[derive(Debug)]
pub struct Scripts {
    limits: Limits,
    state: State,
    scripts: HashMap<Sha, Script>,
    loaded: usize,
    uses: u64,
}

#[derive(Debug)]
struct Script {
    function: Function,
    is_read_only: bool,
    last_use: u64,
    /// The text of one that was loaded: it outlives an upgrade.
    loaded: Option<Box<[u8]>>,
}

impl Scripts {
    /// None yet.
    ///
    /// # Errors
    /// The memory does not suffice for Lua's libraries.
    pub fn new(limits: Limits) -> Result<Self, SetupError> {
        let state = State::new(limits.memory_max_bytes).map_err(|error| SetupError {
            memory_max_bytes: limits.memory_max_bytes,
            why: error.to_string(),
        })?;
        Ok(Self { limits, state, scripts: HashMap::new(), loaded: 0, uses: 0 })
    }

    /// `SCRIPT LOAD`: compiles and keeps a script.
    ///
    /// # Errors
    /// The text of the error to answer.
    pub fn load(&mut self, source: &[u8]) -> Result<Sha, String> {
        let sha = sha(source);
        let is_new = self.scripts.get(&sha).is_none_or(|script| script.loaded.is_none());
        if is_new && self.loaded >= self.limits.loaded_max {
            let most = self.limits.loaded_max;
            return Err(format!(
                "ERR {most} scripts are loaded, which is the most there may be; use SCRIPT FLUSH"
            ));
        }
        self.compile(sha, source)?;
        if is_new && !self.fits_among_the_loaded(&sha) {
            self.scripts.remove(&sha);
            return Err("ERR the scripts that are loaded fill a quarter of store.script.memory, which is the most they \
                        may; use SCRIPT FLUSH"
                .to_owned());
        }
        if let Some(script) = self.scripts.get_mut(&sha) {
            script.loaded = Some(source.into());
        }
        self.loaded += usize::from(is_new);
        Ok(sha)
    }

    /// `SCRIPT EXISTS`.
    #[must_use]
    pub fn contains(&self, sha: &[u8]) -> bool {
        digits(sha).is_some_and(|sha| self.scripts.contains_key(&sha))
    }

    /// `SCRIPT FLUSH`.
    pub fn flush(&mut self) {
        self.scripts.clear();
        self.loaded = 0;
    }

    /// How many are kept: for `INFO`.
    #[must_use]
    pub fn count(&self) -> usize {
        self.scripts.len()
    }

    /// The texts of those that were loaded, in no order: for a successor.
    pub fn loaded(&self) -> impl Iterator<Item = &[u8]> {
        self.scripts.values().filter_map(|script| script.loaded.as_deref())
    }

    /// Runs a script; whatever comes of it is answered.
    pub fn run(&mut self, request: Request<'_>, host: &mut dyn Host, answer: &mut dyn Answer) {
        let sha = match self.find(request.source) {
            Ok(sha) => sha,
            Err(text) => return answer.error(&text),
        };
        self.uses += 1;
        let Some(script) = self.scripts.get_mut(&sha) else { return answer.error(UNKNOWN) };
        script.last_use = self.uses;
        let run = Run {
            keys: request.keys,
            arguments: request.arguments,
            is_read_only: request.is_read_only || script.is_read_only,
            time_max: self.limits.time_max,
        };
        let write = |value: &mlua::Value, resp| outcome::write(value, resp, answer);
        if let Err(Ended { text, line }) = self.state.run(&script.function, run, host, write) {
            let text = text.replace(['\r', '\n'], " ");
            let sha = String::from_utf8_lossy(&sha);
            match line {
                Some(line) => answer.error(&format!("{text} script: {sha}, on {}:{line}.", failure::CHUNK)),
                None => answer.error(&text),
            }
        }
    }

    /// The script's name, when it is compiled.
    fn find(&mut self, source: Source<'_>) -> Result<Sha, String> {
        match source {
            Source::Text(source) => {
                let sha = sha(source);
                self.compile(sha, source)?;
                Ok(sha)
            }
            Source::Sha(sha) => {
                digits(sha).filter(|sha| self.scripts.contains_key(sha)).ok_or_else(|| UNKNOWN.to_owned())
            }
        }
    }

    fn compile(&mut self, sha: Sha, source: &[u8]) -> Result<(), String> {
        if self.scripts.contains_key(&sha) {
            return Ok(());
        }
        if source.len() > self.limits.source_max_bytes {
            let (length, most) = (source.len(), self.limits.source_max_bytes);
            return Err(format!("ERR the script has {length} bytes, and {most} are the most it may have"));
        }
        let (source, is_read_only) = flags(source)?;
        self.evict();
        let function = self.state.compile(&source).map_err(|message| {
            format!("ERR Error compiling script (new function): {}", one_line(&message))
        })?;
        self.uses += 1;
        self.scripts.insert(sha, Script { function, is_read_only, last_use: self.uses, loaded: None });
        Ok(())
    }

    /// Makes room for one more that was not loaded.
    fn evict(&mut self) {
        while self.scripts.len() - self.loaded >= self.limits.evaluated_max.max(1)
            || self.state.has_more_than(Part::Half)
        {
            if !self.forget_the_oldest(None) {
                return;
            }
        }
    }

    /// Whether the loaded scripts and this one leave three quarters of the memory; others give way to it.
    fn fits_among_the_loaded(&mut self, sha: &Sha) -> bool {
        while self.state.has_more_than(Part::Quarter) {
            if !self.forget_the_oldest(Some(sha)) {
                return false;
            }
        }
        true
    }

    /// Forgets the script that was not loaded and not used for the longest time, but not `kept`. Returns whether there
    /// was one.
    fn forget_the_oldest(&mut self, kept: Option<&Sha>) -> bool {
        let evaluated =
            self.scripts.iter().filter(|(sha, script)| script.loaded.is_none() && Some(*sha) != kept);
        let oldest = evaluated.min_by_key(|(_, script)| script.last_use).map(|(sha, _)| *sha);
        oldest.is_some_and(|oldest| self.scripts.remove(&oldest).is_some())
    }
}

const UNKNOWN: &str = "NOSCRIPT No matching script. Please use EVAL.";

/// What a first line such as `#!lua flags=no-writes` says, and the script with that line empty.
fn flags(source: &[u8]) -> Result<(Vec<u8>, bool), String> {
    let Some(rest) = source.strip_prefix(b"#!") else { return Ok((source.to_vec(), false)) };
    let end = rest.iter().position(|byte| *byte == b'\n').ok_or("ERR Invalid script shebang")?;
    let line = String::from_utf8_lossy(&rest[..end]).into_owned();
    let mut words = line.split_whitespace();
    let engine = words.next().unwrap_or_default();
    if engine != "lua" {
        return Err(format!("ERR Unexpected engine in script shebang: #!{engine}"));
    }
    let mut is_read_only = false;
    for word in words {
        let Some(flags) = word.strip_prefix("flags=") else {
            return Err(format!("ERR Unknown lua shebang option: {word}"));
        };
        for flag in flags.split(',').filter(|flag| !flag.is_empty()) {
            match flag {
                "no-writes" => is_read_only = true,
                // They allow what is allowed here, or speak of clusters and replicas.
                "allow-oom" | "allow-stale" | "no-cluster" | "allow-cross-slot-keys" => {}
                _ => return Err(format!("ERR Unexpected flag in script shebang: {flag}")),
            }
        }
    }
    Ok((rest[end..].to_vec(), is_read_only))
}

fn sha(source: &[u8]) -> Sha {
    let mut sha = [0; 40];
    sha.copy_from_slice(to_hex(&Sha1::digest(source)).as_bytes());
    sha
}

fn digits(sha: &[u8]) -> Option<Sha> {
    let sha: Sha = sha.try_into().ok()?;
    Some(sha.to_ascii_lowercase().try_into().unwrap_or(sha))
}

fn one_line(text: &str) -> String {
    text.replace(['\r', '\n'], " ")
}
