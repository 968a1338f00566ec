//! A session on a blocking socket, with an end.

use std::io::{self, Read as _};
use std::net::{Shutdown, TcpStream};
use std::time::{Duration, Instant};

use crate::session::{Event, SendError, Session, SessionError};

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 16 << 10;
/// After a refusal, so long is listened to the peer, so that its last words do not make the kernel drop ours.
const LINGER: Duration = Duration::from_millis(500);

/// Why a conversation broke off.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// By one of the two, for a reason.
    #[error(transparent)]
    Session(#[from] SessionError),
    /// Something was not queued.
    #[error(transparent)]
    Send(#[from] SendError),
    /// By the network.
    #[error("the connection broke: {0}")]
    Io(#[from] io::Error),
    /// The peer takes too long.
    #[error("the other side took longer than {} s", .0.as_secs())]
    Late(Duration),
    /// The peer said something else than its turn was for.
    #[error("the other side said something unexpected")]
    Unexpected,
    /// A node answered that does not hold the authority's key.
    #[error("the node that answered is no signer")]
    NoSigner,
    /// The clock of this machine cannot be read.
    #[error("the clock cannot be read")]
    Clock,
}

/// A session, its socket and its deadline.
#[derive(Debug)]
pub(super) struct Conversation {
    stream: TcpStream,
    session: Session,
    began: Instant,
    within: Duration,
}

impl Conversation {
    pub(super) fn new(stream: TcpStream, session: Session, within: Duration) -> Self {
        Self { stream, session, began: Instant::now(), within }
    }

    /// What is left of the time; never zero, which sockets take for endless.
    fn left(&mut self) -> Result<Duration, Broken> {
        let gone = self.began.elapsed();
        self.session.tick(gone)?;
        let until = self.session.deadline().map_or(self.within, |deadline| deadline.min(self.within));
        let left = until.saturating_sub(gone);
        if left.is_zero() { Err(Broken::Late(self.within)) } else { Ok(left) }
    }

    /// Waits for the next event.
    pub(super) fn next(&mut self) -> Result<Event, Broken> {
        let next = self.wait();
        if next.is_err() {
            self.part();
        }
        next
    }

    fn wait(&mut self) -> Result<Event, Broken> {
        let mut buffer = [0; CHUNK_BYTES];
        let mut unsent = None;
        loop {
            if let Some(event) = self.session.next_event()? {
                return Ok(event);
            }
            // What cannot be written may be so because the peer has said why, and gone.
            if unsent.is_none() {
                unsent = self.flush().err();
            }
            let left = self.left()?;
            self.stream.set_read_timeout(Some(left))?;
            let count = match self.stream.read(&mut buffer) {
                Ok(0) => {
                    let ended = self.session.end();
                    return Err(unsent.unwrap_or_else(|| ended.err().unwrap_or(SessionError::Cut).into()));
                }
                Ok(count) => count,
                Err(error) if is_timeout(&error) => return Err(self.late()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(unsent.unwrap_or(error.into())),
            };
            let mut rest = buffer.get(..count).unwrap_or_default();
            while !rest.is_empty() {
                let taken = self.session.feed(rest)?;
                rest = rest.get(taken..).unwrap_or_default();
                if taken == 0 {
                    // More than one frame of the largest size, where one small one is due.
                    return Err(Broken::Unexpected);
                }
            }
        }
    }

    fn late(&mut self) -> Broken {
        match self.left() {
            Err(why) => why,
            Ok(_) => Broken::Late(self.within),
        }
    }

    fn flush(&mut self) -> Result<(), Broken> {
        let left = self.left()?;
        self.stream.set_write_timeout(Some(left))?;
        self.session.write_to(&mut self.stream)?;
        if self.session.wants_write() { Err(self.late()) } else { Ok(()) }
    }

    /// Sends a frame.
    pub(super) fn say(&mut self, kind: u8, payload: &[u8]) -> Result<(), Broken> {
        self.session.send(kind, payload)?;
        self.flush()
    }

    /// Ends in order.
    pub(super) fn finish(&mut self) {
        self.session.close();
        self.part();
    }

    /// Says what is left to be said, which may be an alert, and hears the peer out for a moment: a socket that is closed
    /// with unread bytes takes back what was written last. Nothing of it can be done better when it fails.
    fn part(&mut self) {
        let _ = self.stream.set_write_timeout(Some(LINGER));
        let _ = self.session.write_to(&mut self.stream);
        let _ = self.stream.shutdown(Shutdown::Write);
        let until = Instant::now() + LINGER;
        let mut buffer = [0; CHUNK_BYTES];
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() || self.stream.set_read_timeout(Some(left)).is_err() {
                return;
            }
            match self.stream.read(&mut buffer) {
                Ok(0) | Err(_) => return,
                Ok(_) => {}
            }
        }
    }
}

fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut)
}
