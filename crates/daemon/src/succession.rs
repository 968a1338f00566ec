//! The beginning of a program that takes the place of another one in the same process (`remuda upgrade`).
//!
//! The predecessor leaves a will in a memory file: what each inherited descriptor is, and its record. Until the
//! successor [goes on](Succession::settle) it touches nothing but duplicates, and whatever ends it leads back to the
//! predecessor's program, which finds everything as it was.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::time::Duration;

use remuda_model::{ResourceLimit, Tick};
use remuda_sys::image::{self, Hatch};
use remuda_sys::{CallError, memfd};
use serde::{Deserialize, Serialize};

/// The variable that names the will: its descriptor, that of the program which made it, and the number of the attempt.
pub(crate) const WILL: &str = "REMUDA_WILL";
/// The variable that says why an attempt was given up.
pub(crate) const GIVEN_UP: &str = "REMUDA_UPGRADE_GIVEN_UP";
/// Variables that are said to us alone.
pub const SUCCESSION_VARIABLES: [&str; 2] = [WILL, GIVEN_UP];
/// How long a successor may take until it goes on.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// Longest will, with its record.
const WILL_MAX_BYTES: usize = 1 << 30;

/// What a predecessor leaves.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Will {
    /// Its version.
    pub(crate) version: String,
    /// Numbers of the inherited descriptors, by the names of [`holding`](crate::record::holding).
    pub(crate) descriptors: BTreeMap<String, i32>,
    /// Pid of its keeper.
    pub(crate) keeper: Option<u32>,
    /// The limit of descriptors that the first program was started with.
    pub(crate) nofile: ResourceLimit,
    /// Since when nobody answers.
    pub(crate) since: Tick,
}

/// Where a will is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    /// Its descriptor.
    pub(crate) will: i32,
    /// That of the program that made it.
    pub(crate) image: i32,
}

impl Place {
    /// `WILL:IMAGE:ATTEMPT`.
    fn parse(text: &str) -> Option<(Self, u32)> {
        let mut numbers = text.split(':');
        let (will, image) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
        Some((Self { will, image }, numbers.next()?.parse().ok()?)).filter(|_| numbers.next().is_none())
    }
}

/// A program that takes another one's place, before it goes on.
#[derive(Debug)]
pub struct Succession {
    place: Place,
    pub(crate) will: Will,
    pub(crate) record: Vec<u8>,
    /// Duplicates of what was inherited.
    pub(crate) descriptors: BTreeMap<String, OwnedFd>,
    /// Why the attempt before was given up: then this is the predecessor's program again.
    pub(crate) given_up: Option<String>,
    hatch: Option<Hatch>,
}

/// Why nothing can be gone on with.
#[derive(Debug, thiserror::Error)]
pub enum SuccessionError {
    /// The variable is not ours.
    #[error("{WILL}={0:?} does not name a will; unset it")]
    Variable(String),
    /// The will cannot be read.
    #[error("read the will of the program before: {0}")]
    Unreadable(String),
    /// The kernel refused something.
    #[error(transparent)]
    Call(#[from] CallError),
}

impl Succession {
    /// Begins, if this program takes another one's place. Has to come first in `main`, after those who are asked to be
    /// something else: from here on the way back is open.
    ///
    /// # Errors
    /// There is a will, and nothing can be done with it; if there is a way back it was taken.
    pub fn begin() -> Result<Option<Self>, SuccessionError> {
        let Some(text) = std::env::var_os(WILL) else { return Ok(None) };
        let variable = || SuccessionError::Variable(text.to_string_lossy().into_owned());
        let (place, attempt) = text.to_str().and_then(Place::parse).ok_or_else(variable)?;
        let hatch = if attempt == 0 { Some(open_hatch(place)?) } else { None };
        if hatch.is_some() {
            fault();
        }
        let given_up = std::env::var_os(GIVEN_UP).map(|reason| reason.to_string_lossy().into_owned());
        match read(place.will) {
            Ok(Inheritance { will, record, descriptors }) => {
                Ok(Some(Self { place, will, record, descriptors, given_up, hatch }))
            }
            Err(error) => {
                if let Some(hatch) = hatch {
                    hatch.take(&error.to_string());
                }
                Err(error)
            }
        }
    }

    /// Gives up, and runs the predecessor's program again. Returns only if there is no way back.
    pub fn give_up(self, reason: &str) {
        if let Some(hatch) = self.hatch {
            hatch.take(reason);
        }
    }

    /// Goes on: there is no way back any more.
    pub(crate) fn settle(self) {
        if let Some(hatch) = self.hatch {
            hatch.close();
        }
        // Of whatever is needed there is a duplicate.
        image::close(self.will.descriptors.into_values().chain([self.place.will, self.place.image]));
        image::let_signals_in();
    }
}

/// A will and its record, and duplicates of what it names.
struct Inheritance {
    will: Will,
    record: Vec<u8>,
    descriptors: BTreeMap<String, OwnedFd>,
}

fn read(number: i32) -> Result<Inheritance, SuccessionError> {
    let text = memfd::content(&image::inherited(number)?, WILL_MAX_BYTES)?;
    let end = text.iter().position(|byte| *byte == b'\n').unwrap_or(text.len());
    let (first, rest) = text.split_at(end);
    let will: Will =
        serde_json::from_slice(first).map_err(|error| SuccessionError::Unreadable(error.to_string()))?;
    let duplicate = |(name, number): (&String, &i32)| Ok((name.clone(), image::inherited(*number)?));
    let descriptors = will.descriptors.iter().map(duplicate).collect::<Result<_, CallError>>()?;
    Ok(Inheritance { will, record: rest.get(1..).unwrap_or_default().to_vec(), descriptors })
}

/// Our own environment, without what is said to us alone.
pub(crate) fn environment() -> Vec<(OsString, OsString)> {
    std::env::vars_os().filter(|(name, _)| name != OsStr::new(WILL) && name != OsStr::new(GIVEN_UP)).collect()
}

/// The environment of a program that is to find the will at `place`.
pub(crate) fn environment_with(place: Place, attempt: u32) -> Vec<(OsString, OsString)> {
    let mut environment = environment();
    environment.push((WILL.into(), format!("{}:{}:{attempt}", place.will, place.image).into()));
    environment
}

fn open_hatch(place: Place) -> Result<Hatch, CallError> {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    Hatch::open(place.image, &arguments, &environment_with(place, 1), GIVEN_UP, LIMIT)
}

/// Lets tests see the way back: a build for development fails here as `REMUDA_FAULT` says.
fn fault() {
    #[cfg(debug_assertions)]
    match std::env::var("REMUDA_FAULT").as_deref() {
        #[expect(clippy::exit, reason = "this is the fault")]
        Ok("exit") => std::process::exit(0),
        Ok("abort") => std::process::abort(),
        #[expect(clippy::panic, reason = "this is the fault")]
        Ok("panic") => panic!("a fault was asked for"),
        Ok("hang") => loop {
            std::thread::park();
        },
        Ok("segfault") => image::segfault(),
        _ => {}
    }
}
