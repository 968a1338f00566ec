//! Another program takes our place in this process, and our workers do not notice.
//!
//! First it is asked, as a child, whether it could go on with our record (the preflight). Then we come to rest: what is
//! being spawned gets through, hooks end. Then everything is written into a will, and `execve` does the rest. A program
//! that does not go on in time leads back to ours, which goes on as the successor would have.

mod preflight;

use std::ffi::OsString;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::path::PathBuf;
use std::time::Duration;

use remuda_model::{Event, EventKind, Refusal, Reply};
use remuda_sys::image::Image;
use remuda_sys::{CallError, clock, memfd};
use tokio::sync::oneshot;
use tokio::time::Instant;

use crate::daemon::Daemon;
use crate::record::journal::encode;
use crate::record::{BegunLine, holding};
use crate::succession::{GIVEN_UP, Place, Will, environment_with};
use crate::tasks::Done;

pub use preflight::{Fitness, PREFLIGHT_WORD, look_at};

/// How long what is under way (spawns, hooks) may keep a successor waiting.
const REST_LIMIT: Duration = Duration::from_secs(10);
/// Who asked gets the answer in this time, before nobody is there to give it.
const LAST_WORDS: Duration = Duration::from_millis(5);

/// An upgrade under way.
#[derive(Debug)]
pub(crate) struct Upgrade {
    image: Image,
    answer: Option<oneshot::Sender<Reply>>,
    /// The preflight has passed: when we may go at the earliest, and at the latest.
    going: Option<(Instant, Instant)>,
}

/// What a program that is to take our place is given.
struct Estate {
    descriptors: Vec<(String, OwnedFd)>,
    begun_lines: Vec<BegunLine>,
}

impl Daemon {
    /// Begins to have the program at `to` (ours, as it lies there by now, if none) take our place.
    pub(crate) fn upgrade(&mut self, to: Option<PathBuf>, by: &str, answer: Option<oneshot::Sender<Reply>>) {
        let path = to.unwrap_or_else(|| self.program.clone());
        let (request, by) = (format!("upgrade to {}", path.display()), by.to_owned());
        self.tell(Event::instance(EventKind::Requested { request, by }));
        if self.upgrade.is_some() || self.arbiter.is_stopping() {
            let refusal = if self.arbiter.is_stopping() {
                Refusal::Stopping
            } else {
                Refusal::Malformed { reason: "an upgrade is under way already".to_owned() }
            };
            return reply(answer, Reply::Refused(refusal));
        }
        let begun = Image::open(&path).map_err(|error| error.to_string()).and_then(|image| {
            let record = self.record_text(Vec::new()).map_err(|error| error.to_string())?;
            let helper = preflight::helper(&image, &record, &self.ours)?;
            Ok((image, helper))
        });
        match begun {
            Ok((image, helper)) => {
                self.upgrade = Some(Upgrade { image, answer, going: None });
                let helpers = self.tasks.helpers().clone();
                self.tasks.start(async move { Done::Preflight(helper.run(&helpers).await) });
            }
            Err(reason) => self.refuse_upgrade(answer, reason),
        }
    }

    fn refuse_upgrade(&mut self, answer: Option<oneshot::Sender<Reply>>, reason: String) {
        let lines = vec![format!("{reason}; what runs runs on")];
        self.tell(Event::instance(EventKind::UpgradeFailed { reason }));
        reply(answer, Reply::Failed { lines });
    }

    /// The successor has said whether it could go on.
    pub(crate) fn preflight_done(&mut self, found: Result<Fitness, String>) {
        let Some(upgrade) = &mut self.upgrade else { return };
        match found {
            Ok(fitness) => {
                let lines = vec![format!("remuda {} has passed the preflight", fitness.version)];
                reply(upgrade.answer.take(), Reply::Done { lines });
                let now = Instant::now();
                upgrade.going = Some((now + LAST_WORDS, now + REST_LIMIT));
            }
            Err(reason) => {
                let answer = upgrade.answer.take();
                self.upgrade = None;
                self.refuse_upgrade(answer, reason);
            }
        }
    }

    /// Nothing new is begun any more.
    pub(crate) fn is_going(&self) -> bool {
        self.upgrade.as_ref().is_some_and(|upgrade| upgrade.going.is_some())
    }

    /// When the loop should look at a going upgrade again, whatever happens.
    pub(crate) fn next_try_to_go(&self) -> Option<Instant> {
        let (earliest, latest) = self.upgrade.as_ref()?.going?;
        Some(if Instant::now() < earliest { earliest } else { latest })
    }

    /// Goes, if all is at rest. Returns if not, or if not any more.
    pub(crate) fn try_to_go(&mut self) {
        let Some((earliest, latest)) = self.upgrade.as_ref().and_then(|upgrade| upgrade.going) else {
            return;
        };
        let now = Instant::now();
        if now < earliest {
            return;
        }
        let rests =
            self.spawning == 0 && self.tasks.hooks() == 0 && self.tracking.unburied().next().is_none();
        if !rests && now < latest {
            return;
        }
        let Some(upgrade) = self.upgrade.take() else { return };
        if rests {
            self.go(&upgrade.image);
        } else {
            let (spawns, hooks) = (self.spawning, self.tasks.hooks());
            let reason = format!("{spawns} spawns and {hooks} hooks still run after {REST_LIMIT:?}");
            self.refuse_upgrade(None, reason);
        }
    }

    /// The point of no return: what comes after it runs in another program, or in ours from its start.
    fn go(&mut self, image: &Image) {
        let since = clock::boottime();
        self.manager.reloading();
        self.sync_keeper();
        let begun_lines = self.capture.stop();
        let gone: Result<(), CallError> = self.estate(begun_lines).and_then(|estate| {
            let own = Image::own()?;
            let (will, inherited) = self.will(since, estate)?;
            let arguments: Vec<OsString> = std::env::args_os().collect();
            let fds: Vec<_> = inherited.iter().chain([&will]).map(AsFd::as_fd).chain([own.as_fd()]).collect();
            let place = Place { will: will.as_raw_fd(), image: own.as_fd().as_raw_fd() };
            let refused = image.run(&arguments, &environment_with(place, 0), &fds);
            let mut environment = environment_with(place, 1);
            environment.push((GIVEN_UP.into(), refused.to_string().into()));
            Err(own.run(&arguments, &environment, &fds))
        });
        if let Err(error) = gone {
            // Our output is no longer read, so we cannot go on; the keeper has everything for who comes next.
            self.trouble(format!("{error}; start remuda again, its workers go on"));
            self.exit = Some(101);
        }
    }

    /// Everything that is to stay open, as duplicates.
    fn estate(&self, begun_lines: Vec<BegunLine>) -> Result<Estate, CallError> {
        let mut descriptors = Vec::new();
        let mut failed = None;
        let mut keep = |name: String, fd: std::os::fd::BorrowedFd<'_>| match fd.try_clone_to_owned() {
            Ok(fd) => descriptors.push((name, fd)),
            Err(error) => failed = Some(CallError::new(format!("duplicate {name}"), error)),
        };
        self.sockets.each_listener(|name, _, fd| keep(name, fd));
        self.capture.each_pipe(|worker, stream, fd| keep(holding::log(worker, stream), fd));
        for child in self.children.values() {
            crate::keeping::descriptors(child).for_each(|(name, fd)| keep(name, fd));
        }
        for (record, fd) in self.stored.records() {
            keep(holding::stored(record.number), fd);
        }
        self.keeping.each_descriptor(&mut keep);
        keep(holding::LOCK.to_owned(), self.folder.lock());
        keep(holding::CONTROL.to_owned(), self.control.as_fd());
        match failed {
            Some(error) => Err(error),
            None => Ok(Estate { descriptors, begun_lines }),
        }
    }

    fn will(&self, since: remuda_model::Tick, estate: Estate) -> Result<(OwnedFd, Vec<OwnedFd>), CallError> {
        let numbers = estate.descriptors.iter().map(|(name, fd)| (name.clone(), fd.as_raw_fd()));
        let descriptors: std::collections::BTreeMap<String, i32> = numbers.collect();
        let will = Will {
            version: crate::VERSION.to_owned(),
            descriptors,
            keeper: self.keeping.pid(),
            nofile: self.nofile.clone(),
            since,
        };
        let failed = |error: std::io::Error| CallError::new("write the will", error);
        let mut text = serde_json::to_vec(&will).map_err(|error| failed(error.into()))?;
        text.push(b'\n');
        text.extend(self.record_text(estate.begun_lines).map_err(failed)?);
        let sealed = memfd::sealed("remuda-will", &text)?;
        Ok((sealed, estate.descriptors.into_iter().map(|(_, fd)| fd).collect()))
    }

    /// The whole record, as a successor reads it.
    fn record_text(&self, begun_lines: Vec<BegunLine>) -> std::io::Result<Vec<u8>> {
        let mut picture = self.picture();
        picture.begun_lines = begun_lines;
        picture.lines = self.logs.kept();
        encode(&self.config.instance.name, picture)
    }
}

fn reply(answer: Option<oneshot::Sender<Reply>>, reply: Reply) {
    if let Some(answer) = answer {
        // An asker that has gone away loses its answer.
        let _ = answer.send(reply);
    }
}
