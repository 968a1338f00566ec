//! Clocks, and a timer on the wall clock.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::{Duration, SystemTime};

use remuda_model::Tick;
use rustix::io::Errno;
use rustix::time::{
    ClockId, Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, clock_gettime,
    timerfd_create, timerfd_settime,
};

use crate::CallError;

fn since_origin(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec).unwrap_or(0);
    Duration::new(seconds, nanoseconds)
}

/// Time since boot, with suspend: the arbiter's clock.
#[must_use]
pub fn boottime() -> Tick {
    Tick(u64::try_from(since_origin(ClockId::Boottime).as_millis()).unwrap_or(u64::MAX))
}

/// What the kernel calls this boot: another one means that no pid, no descriptor and no [`boottime`] is what it was.
/// Empty where `/proc` does not tell.
#[must_use]
pub fn boot_id() -> String {
    let text = std::fs::read_to_string("/proc/sys/kernel/random/boot_id");
    text.map(|text| text.trim().to_owned()).unwrap_or_default()
}

/// `CLOCK_MONOTONIC`, as `MONOTONIC_USEC=` of the notify protocol counts it.
#[must_use]
pub fn monotonic() -> Duration {
    since_origin(ClockId::Monotonic)
}

/// Time since 1970-01-01 00:00 UTC; zero on a machine set to before that. The standard library's, as certificates are
/// judged by: one process has one wall clock, whatever `faketime` and the like make of it.
#[must_use]
pub fn realtime() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

/// What a [`WallTimer`] says when its descriptor is readable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum WallEvent {
    /// Nothing yet.
    Quiet,
    /// The time has come.
    Fired,
    /// Somebody set the clock: compute the next time again.
    ClockChanged,
}

/// A timer on the wall clock that also notices when the clock is set.
#[derive(Debug)]
pub struct WallTimer {
    timer: OwnedFd,
}

impl WallTimer {
    /// A timer that is not set.
    ///
    /// # Errors
    /// No descriptor left, or no memory.
    pub fn new() -> Result<Self, CallError> {
        let timer = timerfd_create(TimerfdClockId::Realtime, TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK)
            .map_err(|errno| CallError::new("create a timer on the wall clock", errno))?;
        Ok(Self { timer })
    }

    /// Fires at `at` after 1970 (at once when that is past); `None` stops it.
    ///
    /// # Errors
    /// A time the kernel cannot represent.
    pub fn set(&self, at: Option<Duration>) -> Result<(), CallError> {
        let nothing = Timespec { tv_sec: 0, tv_nsec: 0 };
        let value = match at {
            // A value of zero would stop the timer instead of firing it.
            Some(at) => Timespec {
                tv_sec: i64::try_from(at.as_secs()).unwrap_or(i64::MAX),
                tv_nsec: i64::from(at.subsec_nanos()).max(1),
            },
            None => nothing,
        };
        let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
        timerfd_settime(&self.timer, flags, &Itimerspec { it_interval: nothing, it_value: value })
            .map(|_| ())
            .map_err(|errno| CallError::new("set the timer on the wall clock", errno))
    }

    /// Takes what happened since the last call; never blocks.
    ///
    /// # Errors
    /// The descriptor does not read as a timer.
    pub fn take(&self) -> Result<WallEvent, CallError> {
        let mut count = [0_u8; 8];
        match rustix::io::read(&self.timer, &mut count) {
            Ok(_) => Ok(WallEvent::Fired),
            Err(Errno::AGAIN | Errno::INTR) => Ok(WallEvent::Quiet),
            Err(Errno::CANCELED) => Ok(WallEvent::ClockChanged),
            Err(errno) => Err(CallError::new("read the timer on the wall clock", errno)),
        }
    }
}

impl AsFd for WallTimer {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.timer.as_fd()
    }
}
