//! Finding and executing the program, and saying precisely why it did not work.

use std::cell::OnceCell;
use std::ffi::{CString, OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};

use super::code::Orders;
use super::plan::EnvironmentValue;
use super::stage::Stage;
use super::status::StageFailure;
use crate::process;

/// Where a program is looked for when its environment has no `PATH`.
const DEFAULT_PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// What the kernel is given: where a program may lie, its arguments and its variables.
#[derive(Debug)]
pub(super) struct Texts {
    candidates: Vec<(OsString, CString)>,
    /// What the pointers lead to.
    _owned: [Vec<CString>; 2],
    argv: Vec<*const libc::c_char>,
    envp: Vec<*const libc::c_char>,
}

impl Texts {
    fn of(orders: &Orders) -> Result<Self, StageFailure> {
        let invalid = || io::Error::from_raw_os_error(libc::EINVAL);
        let program = orders
            .argv
            .first()
            .ok_or_else(|| StageFailure::new(Stage::Program, "execute nothing", invalid()))?;
        let nul = |what: &'static str| {
            move || StageFailure {
                stage: Stage::Program,
                errno: libc::EINVAL,
                detail: format!("execute {}: {what} contains a NUL byte", program.to_string_lossy()),
            }
        };
        let arguments: Option<Vec<CString>> =
            orders.argv.iter().map(|text| c_string(text.as_bytes())).collect();
        let arguments = arguments.ok_or_else(nul("an argument"))?;
        let environment = environment(&orders.environment).ok_or_else(nul("the environment"))?;
        let candidates: Option<Vec<_>> = candidates(program, &orders.environment)
            .into_iter()
            .map(|candidate| c_string(candidate.as_bytes()).map(|path| (candidate, path)))
            .collect();
        let candidates = candidates.ok_or_else(nul("the program's path"))?;
        let (argv, envp) = (pointers(&arguments), pointers(&environment));
        Ok(Self { candidates, _owned: [arguments, environment], argv, envp })
    }
}

/// What a process leaves to who may share its memory: nobody else could free it after a successful execution.
#[derive(Debug, Default)]
pub(super) struct Legacy {
    texts: OnceCell<Texts>,
    /// No memory is being changed any more: the program is being executed, or all has been tried in vain.
    is_settled: AtomicBool,
}

impl Legacy {
    pub(super) fn is_settled(&self) -> bool {
        self.is_settled.load(Ordering::Acquire)
    }

    pub(super) fn settle(&self, settled: bool) {
        self.is_settled.store(settled, Ordering::Release);
    }
}

/// Turns this process into the program; returns only if that failed.
pub(super) fn execute(orders: &Orders, legacy: &Legacy) -> StageFailure {
    let texts = match Texts::of(orders) {
        Ok(texts) => legacy.texts.get_or_init(|| texts),
        Err(failure) => return failure,
    };
    let mut denied = None;
    for (candidate, path) in &texts.candidates {
        legacy.settle(true);
        // SAFETY: both arrays end with null and hold NUL-terminated strings that live until the call returns.
        unsafe { libc::execve(path.as_ptr(), texts.argv.as_ptr(), texts.envp.as_ptr()) };
        let error = io::Error::last_os_error();
        legacy.settle(false);
        match error.raw_os_error() {
            Some(libc::ENOENT | libc::ENOTDIR) if !Path::new(candidate).exists() => {}
            Some(libc::EACCES) => denied = denied.or(Some((candidate, error))),
            _ => return refused(candidate, &error),
        }
    }
    match (denied, orders.argv.first()) {
        (Some((candidate, error)), _) => refused(candidate, &error),
        (None, program) => missing(program.map_or(OsStr::new(""), OsString::as_os_str), &orders.environment),
    }
}

fn c_string(bytes: &[u8]) -> Option<CString> {
    CString::new(bytes).ok()
}

fn pointers(texts: &[CString]) -> Vec<*const libc::c_char> {
    texts.iter().map(|text| text.as_ptr()).chain([std::ptr::null()]).collect()
}

fn environment(entries: &[(OsString, EnvironmentValue)]) -> Option<Vec<CString>> {
    let entry = |name: &OsStr, value: &[u8]| c_string(&[name.as_bytes(), b"=", value].concat());
    let mut texts = Vec::with_capacity(entries.len());
    for (name, value) in entries {
        match value {
            EnvironmentValue::Text(text) => texts.push(entry(name, text.as_bytes())?),
            EnvironmentValue::Pid => texts.push(entry(name, std::process::id().to_string().as_bytes())?),
            EnvironmentValue::PidfdId => {
                if let Some(id) = pidfd_id() {
                    texts.push(entry(name, id.to_string().as_bytes())?);
                }
            }
        }
    }
    Some(texts)
}

/// The inode number of our own pidfd; unique since boot where pidfds have a file system of their own (Linux 6.9).
pub(crate) fn pidfd_id() -> Option<u64> {
    const PIDFS_MAGIC: libc::c_long = 0x5049_4446;
    let pidfd = process::pidfd_open(std::process::id()).ok()?;
    let kind = rustix::fs::fstatfs(&pidfd).ok()?.f_type;
    if libc::c_long::try_from(kind).ok()? != PIDFS_MAGIC {
        return None;
    }
    rustix::fs::fstat(&pidfd).ok().map(|status| status.st_ino)
}

fn search_path(environment: &[(OsString, EnvironmentValue)]) -> OsString {
    let found = environment.iter().find_map(|(name, value)| match value {
        EnvironmentValue::Text(text) if name == "PATH" => Some(text.clone()),
        _ => None,
    });
    found.unwrap_or_else(|| DEFAULT_PATH.into())
}

fn candidates(program: &OsStr, environment: &[(OsString, EnvironmentValue)]) -> Vec<OsString> {
    if program.as_bytes().contains(&b'/') {
        return vec![program.to_owned()];
    }
    let path = search_path(environment);
    path.as_bytes()
        .split(|byte| *byte == b':')
        .map(|folder| {
            let folder = if folder.is_empty() { b"." } else { folder };
            OsString::from_vec([folder, b"/", program.as_bytes()].concat())
        })
        .collect()
}

fn missing(program: &OsStr, environment: &[(OsString, EnvironmentValue)]) -> StageFailure {
    let shown = program.to_string_lossy();
    let detail = if program.as_bytes().contains(&b'/') {
        format!("{shown} does not exist")
    } else {
        format!("{shown} was not found in PATH={}", search_path(environment).to_string_lossy())
    };
    StageFailure { stage: Stage::Program, errno: libc::ENOENT, detail }
}

fn refused(program: &OsStr, error: &io::Error) -> StageFailure {
    let errno = error.raw_os_error().unwrap_or(0);
    let shown = program.to_string_lossy();
    let detail = match errno {
        libc::ENOENT => {
            interpreter(program).map(|name| format!("{shown} exists, but its interpreter {name} does not"))
        }
        libc::EACCES => denied(program),
        libc::ENOEXEC => {
            Some(format!("{shown} is no executable format; a script begins with #! and its interpreter"))
        }
        _ => None,
    };
    match detail {
        Some(detail) => StageFailure { stage: Stage::Program, errno, detail },
        None => StageFailure::new(
            Stage::Program,
            &format!("execute {shown}"),
            io::Error::from_raw_os_error(errno),
        ),
    }
}

/// The interpreter a file names: of a script in its first line, of an ELF file unknown to us by name.
fn interpreter(program: &OsStr) -> Option<String> {
    let mut head = Vec::new();
    File::open(program).ok()?.take(256).read_to_end(&mut head).ok()?;
    if head.starts_with(b"\x7fELF") {
        return Some("(the dynamic loader its ELF header names)".into());
    }
    let line = head.strip_prefix(b"#!")?.split(|byte| *byte == b'\n').next()?;
    let line = String::from_utf8_lossy(line).into_owned();
    let shown = line.trim_end_matches('\r').split_whitespace().next()?.to_owned();
    // A script written on another system: the kernel looks for a file whose name ends in CR.
    Some(if line.ends_with('\r') { format!("{shown} (its line ends in CR LF)") } else { shown })
}

fn denied(program: &OsStr) -> Option<String> {
    let shown = program.to_string_lossy();
    let status = fs::metadata(program).ok()?;
    let mode = status.permissions().mode() & 0o7777;
    if status.is_dir() {
        Some(format!("{shown} is a directory"))
    } else if mode & 0o111 == 0 {
        Some(format!("{shown} is not executable (mode {mode:04o})"))
    } else {
        interpreter(program)
            .filter(|name| name.starts_with('/'))
            .filter(|name| fs::metadata(name).is_ok_and(|file| file.permissions().mode() & 0o111 == 0))
            .map(|name| format!("{shown} names the interpreter {name}, which is not executable"))
    }
}
