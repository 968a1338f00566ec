//! The threads of a daemon: started together, each one's end noticed, all joined.

use std::any::Any;
use std::io::{self, PipeReader, PipeWriter, Read, Write};
use std::os::fd::{AsFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use remuda_sys::CallError;
use remuda_sys::event::{Interest, Poller, Token};

use super::{Body, DaemonError, Death, Stuck};
use crate::quit::Quit;

/// A loop that has ended: its number, and how if not by returning `Ok`.
type Ending = (usize, Option<Death>);

/// Where loops say that they have ended; one byte in the pipe for each.
struct Endings {
    list: Mutex<Vec<Ending>>,
    bell: PipeWriter,
}

struct Member {
    name: String,
    thread: Option<JoinHandle<()>>,
}

/// The running loops.
pub(super) struct Crew {
    members: Vec<Member>,
    endings: Arc<Endings>,
    rung: PipeReader,
}

/// The end of one loop.
pub(super) struct Ended {
    pub(super) name: String,
    /// How, if not by returning `Ok`.
    pub(super) death: Option<Death>,
}

impl Crew {
    /// Starts all loops, or none that stays: if a thread is refused, those before it are asked to quit.
    pub(super) fn start(
        bodies: Vec<Body>,
        quit: &Quit,
        daemon: &str,
        quit_within: Duration,
    ) -> Result<Self, DaemonError> {
        let (rung, bell) = io::pipe().map_err(|error| DaemonError::Start {
            daemon: daemon.into(),
            source: CallError::new("create a pipe", error),
        })?;
        let endings = Arc::new(Endings { list: Mutex::default(), bell });
        let mut crew = Self { members: Vec::new(), endings, rung };
        for body in bodies {
            let (name, number) = (body.name.clone(), crew.members.len());
            let (endings, quit_of_loop) = (Arc::clone(&crew.endings), quit.clone());
            let thread = std::thread::Builder::new().name(name.clone()).spawn(move || {
                let death = live(body, &quit_of_loop);
                endings.tell((number, death));
            });
            match thread {
                Ok(thread) => crew.members.push(Member { name, thread: Some(thread) }),
                Err(error) => {
                    quit.ask();
                    let source = CallError::new("start a thread", error);
                    let stuck = crew.wait(quit_within);
                    return Err(DaemonError::Thread { daemon: daemon.into(), name, source, stuck });
                }
            }
        }
        Ok(crew)
    }

    /// The next loop that has ended, joined; never blocks.
    pub(super) fn ended(&mut self) -> Option<Ended> {
        let mut list = self.endings.list.lock().unwrap_or_else(PoisonError::into_inner);
        if list.is_empty() {
            return None;
        }
        let (number, death) = list.remove(0);
        drop(list);
        // One byte per ending was written after the ending was listed: it is there or about to be.
        let _ = (&self.rung).read(&mut [0]);
        let member = self.members.get_mut(number)?;
        if let Some(thread) = member.thread.take() {
            // The panic of a loop was caught within; what is left to run are destructors of thread-local values.
            let _ = thread.join();
        }
        Some(Ended { name: member.name.clone(), death })
    }

    /// Whether every loop has ended and is joined.
    pub(super) fn is_over(&self) -> bool {
        self.members.iter().all(|member| member.thread.is_none())
    }

    /// Who still runs, after `waited`.
    pub(super) fn stuck(&self, waited: Duration) -> Option<Stuck> {
        let running = self.members.iter().filter(|member| member.thread.is_some());
        let loops: Vec<String> = running.map(|member| member.name.clone()).collect();
        (!loops.is_empty()).then_some(Stuck { loops, waited })
    }

    /// Waits for all to end, at most `time`, with nothing else to listen to.
    fn wait(&mut self, time: Duration) -> Option<Stuck> {
        let start = Instant::now();
        let mut poller = Poller::new().ok();
        if let Some(poller) = &poller {
            let _ = poller.add(&self.rung, Token(0), Interest::Read);
        }
        while !self.is_over() && start.elapsed() < time {
            if self.ended().is_none() {
                let left = time.saturating_sub(start.elapsed());
                match &mut poller {
                    Some(poller) => drop(poller.wait(Some(left))),
                    // Without a descriptor left there is still the clock.
                    None => std::thread::sleep(left.min(Duration::from_millis(20))),
                }
            }
        }
        self.stuck(start.elapsed())
    }
}

impl AsFd for Crew {
    /// Readable when a loop has ended.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.rung.as_fd()
    }
}

impl Endings {
    fn tell(&self, ending: Ending) {
        self.list.lock().unwrap_or_else(PoisonError::into_inner).push(ending);
        // The pipe has room for more bytes than there can be loops.
        let _ = (&self.bell).write(b"e");
    }
}

/// A loop's whole life.
fn live(body: Body, quit: &Quit) -> Option<Death> {
    match catch_unwind(AssertUnwindSafe(|| (body.run)(quit))) {
        Ok(Ok(())) if quit.is_asked() => None,
        Ok(Ok(())) => Some(Death::Returned),
        Ok(Err(error)) => Some(Death::Failed(error)),
        Err(payload) => Some(Death::Panicked(words(&*payload))),
    }
}

/// What a panic said.
pub(super) fn words(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| payload.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without words".into())
}
