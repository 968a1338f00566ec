//! What the herd needs of the disk, done by threads: its folder has a lock that a command may hold, and the loop may not
//! wait for that.

use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};

use bytes::Bytes;
use remuda_herd::Epoch;
use remuda_sys::CallError;
use remuda_sys::eventfd::EventFd;
use remuda_trust::admission::{self, Outcome};
use remuda_trust::enrolment::{self, Answer, EnrolmentError};
use remuda_trust::{
    Address, Certified, Folder, Membership, Removal, UnixTime, learn, renew_here, system_clock,
};

use crate::table::Key;

/// Works under way at once; each is a thread. Who asks while there are so many asks again.
const AT_ONCE_MAX: usize = 8;

/// What was done.
#[derive(Debug)]
pub(crate) enum Done {
    /// Somebody's request to a signer.
    Answered { to: Key, answer: Box<Answer>, outcome: Outcome },
    /// The folder was read anew; or why not.
    Read(Result<Box<Membership>, String>),
    /// Another life has begun.
    Born(Result<(Box<Membership>, Epoch), String>),
    /// This node's certificate was renewed, or not.
    Renewed(Result<(), String>),
}

/// Has things done.
#[derive(Debug)]
pub(crate) struct Clerk {
    folder: Folder,
    sender: Sender<Done>,
    receiver: Receiver<Done>,
    bell: Arc<EventFd>,
    under_way: usize,
}

/// Reads the folder and counts another life, above those that are known.
pub(crate) fn be_born(folder: &Folder, above: Epoch) -> Result<(Box<Membership>, Epoch), String> {
    let membership = folder.open().map_err(|error| error.to_string())?;
    let epoch = folder.epoch_above(above).map_err(|error| error.to_string())?;
    Ok((Box::new(membership), epoch))
}

impl Clerk {
    pub(crate) fn new(folder: Folder) -> Result<Self, CallError> {
        let (sender, receiver) = channel();
        Ok(Self { folder, sender, receiver, bell: Arc::new(EventFd::new()?), under_way: 0 })
    }

    fn begin(&mut self, work: impl FnOnce(&Folder) -> Done + Send + 'static) -> Result<(), String> {
        if self.under_way >= AT_ONCE_MAX {
            return Err("this server is busy with others; try again".to_owned());
        }
        let (sender, bell, folder) = (self.sender.clone(), Arc::clone(&self.bell), self.folder.clone());
        let thread = move || {
            // Nobody listens any more when the hub has ended.
            let _ = sender.send(work(&folder));
            bell.ring();
        };
        std::thread::Builder::new()
            .name("herd".to_owned())
            .spawn(thread)
            .map_err(|error| format!("no thread: {error}"))?;
        self.under_way += 1;
        Ok(())
    }

    /// Has a signer's question answered.
    pub(crate) fn answer(&mut self, to: Key, asker: Certified, request: Bytes) -> Result<(), String> {
        self.begin(move |folder| {
            let (answer, outcome) = admission::answer(folder, &asker, &request, UnixTime::now());
            Done::Answered { to, answer: Box::new(answer), outcome }
        })
    }

    /// Has the folder read anew.
    pub(crate) fn read(&mut self) -> Result<(), String> {
        self.begin(|folder| Done::Read(folder.open().map(Box::new).map_err(|error| error.to_string())))
    }

    /// Begins another life, above those that are known.
    pub(crate) fn be_born(&mut self, above: Epoch) -> Result<(), String> {
        self.begin(move |folder| Done::Born(be_born(folder, above)))
    }

    /// Has removals that others know written down.
    pub(crate) fn learn(&mut self, removals: Vec<Removal>) -> Result<(), String> {
        self.begin(move |folder| {
            let learnt = learn(folder, removals, UnixTime::now()).map_err(|error| error.to_string());
            let read = |_| folder.open().map(Box::new).map_err(|error| error.to_string());
            Done::Read(learnt.and_then(read))
        })
    }

    /// Renews this node's certificate: a signer by itself, others at a signer they know, or at one of `others` if that does
    /// not work: signers come, go and move.
    pub(crate) fn renew(&mut self, is_signer: bool, others: Vec<Address>) -> Result<(), String> {
        self.begin(move |folder| {
            if is_signer {
                let renewed = renew_here(folder, UnixTime::now());
                return Done::Renewed(renewed.map(drop).map_err(|error| error.to_string()));
            }
            let ask = |from: Option<&Address>| enrolment::renew(folder, from, &system_clock()).map(drop);
            let renewed = match ask(None) {
                Err(why @ EnrolmentError::Expired) => Err(why),
                Err(why) if !others.iter().any(|from| ask(Some(from)).is_ok()) => Err(why),
                Ok(()) | Err(_) => Ok(()),
            };
            Done::Renewed(renewed.map_err(|error| error.to_string()))
        })
    }

    /// What was done meanwhile.
    pub(crate) fn done(&mut self) -> Vec<Done> {
        let _ = self.bell.clear();
        let done: Vec<Done> = self.receiver.try_iter().collect();
        self.under_way = self.under_way.saturating_sub(done.len());
        done
    }
}

impl AsFd for Clerk {
    /// Readable when something was done.
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }
}
