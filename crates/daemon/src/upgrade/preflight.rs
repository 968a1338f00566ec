//! The question to a program whether it could take our place, and its answer.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Read as _;
use std::os::fd::OwnedFd;
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::ExitStatus;
use remuda_sys::image::Image;
use remuda_sys::spawn::EnvironmentValue;
use remuda_sys::{memfd, pipe};
use serde::{Deserialize, Serialize};

use crate::helper::Helper;
use crate::record::replay;
use crate::tasks::Helpers;

/// First argument of a program that is asked; our own arguments follow, the record is its standard input.
pub const PREFLIGHT_WORD: &str = "__preflight";
/// How long it may take.
const LIMIT: Duration = Duration::from_secs(10);
/// Most of what it says that is read, bytes.
const SAID_MAX_BYTES: u64 = 16 * 1024;
/// Longest record that is read.
const RECORD_MAX_BYTES: usize = 1 << 30;

/// The answer of a program that could go on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fitness {
    /// Its version.
    #[serde(rename = "remuda")]
    pub version: String,
    /// Workers that it found in the record.
    pub workers: usize,
}

/// A program on its way to answer.
#[derive(Debug)]
pub(crate) struct Preflight {
    helper: Helper,
    said: OwnedFd,
    complained: OwnedFd,
}

/// Prepares to ask the program `image` whether it could go on with `record`.
pub(super) fn helper(
    image: &Image,
    record: &[u8],
    ours: &BTreeMap<String, String>,
) -> Result<Preflight, String> {
    let failed = |error: remuda_sys::CallError| error.to_string();
    let stdin = memfd::sealed("remuda-preflight", record).map_err(failed)?;
    let (said, complained) = (pipe::plain().map_err(failed)?, pipe::plain().map_err(failed)?);
    let mut argv = vec![image.path().into_os_string(), PREFLIGHT_WORD.into()];
    argv.extend(std::env::args_os().skip(1));
    let text = |(name, value): (&String, &String)| {
        (OsString::from(name), EnvironmentValue::Text(value.clone().into()))
    };
    let helper = Helper {
        argv,
        environment: ours.iter().map(text).collect(),
        directory: PathBuf::from("."),
        user: None,
        stdin: Some(stdin),
        stdout: Some(said.writer),
        stderr: Some(complained.writer),
        timeout: LIMIT,
    };
    Ok(Preflight { helper, said: said.reader, complained: complained.reader })
}

impl Preflight {
    /// Asks, and returns the answer, or in words why there is none.
    ///
    /// # Cancel safety
    /// When the future is dropped the program is killed.
    pub(crate) async fn run(self, helpers: &Helpers) -> Result<Fitness, String> {
        let Self { helper, said, complained } = self;
        let status = helper.run(helpers).await.map_err(|reason| format!("its preflight {reason}"))?;
        if status != ExitStatus::Code(0) {
            let complaint = read(complained);
            let complaint = complaint.trim().lines().next().unwrap_or("it does not say why").to_owned();
            return Err(format!("its preflight ended with {status}: {complaint}"));
        }
        serde_json::from_str(read(said).trim()).map_err(|_foreign| {
            "it is no remuda that could go on here: it does not answer a preflight".to_owned()
        })
    }
}

fn read(pipe: OwnedFd) -> String {
    let mut text = Vec::new();
    // The reader does not block, so what is not there by now is not waited for.
    let _ = std::fs::File::from(pipe).take(SAID_MAX_BYTES).read_to_end(&mut text);
    String::from_utf8_lossy(&text).into_owned()
}

/// Looks at the record that is our standard input: whether we could go on with it.
///
/// # Errors
/// In words, why not.
pub fn look_at(record: OwnedFd) -> Result<Fitness, String> {
    let text = memfd::content(&record, RECORD_MAX_BYTES).map_err(|error| error.to_string())?;
    let past = replay::replay(&text).map_err(|error| error.to_string())?;
    Ok(Fitness { version: crate::VERSION.to_owned(), workers: past.children.len() })
}
