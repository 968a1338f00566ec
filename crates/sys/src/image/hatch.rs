//! The way back to the old program.

use std::ffi::OsString;
use std::mem::MaybeUninit;
use std::os::fd::RawFd;
use std::ptr;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::time::Duration;

use super::{Strings, entry};
use crate::CallError;

/// What a program does to itself by mistake, and the clock that notices when it does nothing.
const FATAL: [libc::c_int; 6] =
    [libc::SIGSEGV, libc::SIGBUS, libc::SIGILL, libc::SIGFPE, libc::SIGABRT, libc::SIGALRM];
/// Room for the reason of a return, bytes.
const REASON_BYTES: usize = 512;

/// Everything the way back needs, made beforehand: a program that is falling apart may allocate nothing.
struct Prepared {
    image: RawFd,
    argv: Strings,
    envp: Strings,
}

/// The way back, while it is open.
static PREPARED: AtomicPtr<Prepared> = AtomicPtr::new(ptr::null_mut());
/// `NAME=reason`, zero-terminated; the environment of the way back leads here.
static REASON: AtomicPtr<[u8; REASON_BYTES]> = AtomicPtr::new(ptr::null_mut());
/// Where in it the reason begins.
static REASON_AT: std::sync::atomic::AtomicUsize = std::sync::atomic::AtomicUsize::new(0);

/// An open way back. Whatever ends this process before [`close`](Self::close) leads to the old program.
#[derive(Debug)]
pub struct Hatch(());

impl Hatch {
    /// Opens the way back to the program that is descriptor `image`, run with `arguments` and `environment` and with the
    /// reason of the return in the variable `told_in`. Whatever came through `execve` has to stay as it is until
    /// [`close`](Self::close). After `limit` (whole seconds) without that the way back is taken.
    ///
    /// # Errors
    /// The kernel refused a handler.
    pub fn open(
        image: RawFd,
        arguments: &[OsString],
        environment: &[(OsString, OsString)],
        told_in: &str,
        limit: Duration,
    ) -> Result<Self, CallError> {
        let mut text = Box::new([0_u8; REASON_BYTES]);
        let start = told_in.len() + 1;
        if let (Some(name), Some(sign)) = (text.get_mut(..told_in.len()), start.checked_sub(1)) {
            name.copy_from_slice(told_in.as_bytes());
            text[sign] = b'=';
        }
        let text = Box::into_raw(text);
        let variables: Vec<OsString> = environment.iter().map(|(name, value)| entry(name, value)).collect();
        let mut envp = Strings::new(variables.iter().map(OsString::as_os_str));
        // The last pointer is null; the reason's comes before it.
        envp.pointers.insert(envp.pointers.len() - 1, text.cast::<libc::c_char>().cast_const());
        let argv = Strings::new(arguments.iter().map(OsString::as_os_str));
        REASON.store(text, Ordering::SeqCst);
        REASON_AT.store(start, Ordering::SeqCst);
        PREPARED.store(Box::into_raw(Box::new(Prepared { image, argv, envp })), Ordering::SeqCst);
        for signal in FATAL {
            handle(signal, escape_from as *const () as usize)?;
        }
        unblock(&FATAL);
        // SAFETY: the function is there as long as the program.
        let registered = unsafe { libc::atexit(escape_at_exit) };
        if registered != 0 {
            return Err(CallError::last("register the way back"));
        }
        let seconds = u32::try_from(limit.as_secs()).unwrap_or(u32::MAX).max(1);
        // SAFETY: sets this process's one alarm clock.
        unsafe { libc::alarm(seconds) };
        Ok(Self(()))
    }

    /// Takes the way back, and says why. Returns only if there is none.
    pub fn take(self, reason: &str) {
        escape(reason.as_bytes());
    }

    /// The new program goes on: there is no way back any more.
    pub fn close(self) {
        // SAFETY: turns this process's one alarm clock off.
        unsafe { libc::alarm(0) };
        PREPARED.store(ptr::null_mut(), Ordering::SeqCst);
        for signal in FATAL {
            // The default was in force a moment ago, so it can be set.
            let _ = handle(signal, libc::SIG_DFL);
        }
    }
}

fn handle(signal: libc::c_int, handler: libc::sighandler_t) -> Result<(), CallError> {
    let mut action = MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: only the address of a field of a zeroed structure is taken; all zeroes is a valid sigaction.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = handler;
    // The standard library gives the main thread a stack of its own for handlers.
    action.sa_flags = libc::SA_ONSTACK | libc::SA_NODEFER;
    // SAFETY: the action is initialised; the old one is not asked for.
    let result = unsafe { libc::sigaction(signal, action, ptr::null_mut()) };
    if result == 0 { Ok(()) } else { Err(CallError::last("handle a signal")) }
}

extern "C" fn escape_from(signal: libc::c_int) {
    let mut words = *b"it was ended by signal 00";
    let digits = u8::try_from(signal.rem_euclid(100)).unwrap_or(0);
    let [.., tens, ones] = &mut words;
    *tens += digits / 10;
    *ones += digits % 10;
    if signal == libc::SIGALRM {
        escape(b"it did not go on in time");
    } else {
        escape(&words);
    }
    // SAFETY: nothing of this program is fit to go on.
    unsafe { libc::_exit(128 + signal) }
}

extern "C" fn escape_at_exit() {
    escape(b"it ended by itself");
}

/// Runs the old program. Only calls that a signal handler may make; returns when there is no way back.
fn escape(reason: &[u8]) {
    let prepared = PREPARED.swap(ptr::null_mut(), Ordering::SeqCst);
    // SAFETY: it was made by `open`, is never freed, and this swap made us the only one who has it.
    let Some(prepared) = (unsafe { prepared.as_ref() }) else { return };
    let text = REASON.load(Ordering::SeqCst);
    // SAFETY: it was made by `open`, is never freed, and nobody else uses it while we do.
    if let Some(text) = unsafe { text.as_mut() } {
        // The last byte stays zero; what is longer is cut.
        let room = text.iter_mut().take(REASON_BYTES - 1).skip(REASON_AT.load(Ordering::SeqCst));
        room.zip(reason).for_each(|(place, byte)| *place = if *byte == 0 { b' ' } else { *byte });
    }
    // SAFETY: turns this process's one alarm clock off, which would end the old program.
    unsafe { libc::alarm(0) };
    block_all();
    let (argv, envp) = (prepared.argv.pointers.as_ptr(), prepared.envp.pointers.as_ptr());
    let (image, empty) = (prepared.image, c"".as_ptr());
    // SAFETY: both arrays end with a null pointer and are never freed.
    unsafe { libc::syscall(libc::SYS_execveat, image, empty, argv, envp, libc::AT_EMPTY_PATH) };
}

/// Blocks every signal in this thread; the mask of before.
pub(super) fn block_all() -> libc::sigset_t {
    let mut all = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set it is given.
    unsafe { libc::sigfillset(all.as_mut_ptr()) };
    let mut before = MaybeUninit::<libc::sigset_t>::zeroed();
    // SAFETY: the new set is initialised, and there is room for the old one.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, all.as_ptr(), before.as_mut_ptr()) };
    // SAFETY: all zeroes is a valid set, and the call has filled it.
    unsafe { before.assume_init() }
}

pub(super) fn restore(mask: &libc::sigset_t) {
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_SETMASK, mask, ptr::null_mut()) };
}

fn unblock(signals: &[libc::c_int]) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set it is given.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    for signal in signals {
        // SAFETY: the set is initialised, and each is a signal.
        unsafe { libc::sigaddset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut()) };
}

/// Lets in every signal that is not read from a descriptor, after all were blocked by [`super::Image::run`].
pub(super) fn unblock_all_but(kept: &[libc::c_int]) {
    let mut set = MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: initialises the set it is given.
    unsafe { libc::sigfillset(set.as_mut_ptr()) };
    for signal in kept {
        // SAFETY: the set is initialised, and each is a signal.
        unsafe { libc::sigdelset(set.as_mut_ptr(), *signal) };
    }
    // SAFETY: the set is initialised; the old mask is not asked for.
    unsafe { libc::pthread_sigmask(libc::SIG_UNBLOCK, set.as_ptr(), ptr::null_mut()) };
}
