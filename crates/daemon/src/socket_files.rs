//! Watching the files of Unix sockets: a worker that stops may remove one as if it were its own.
//!
//! Each file has a spare name from the beginning, and is put back as soon as its own is free. What somebody has put in
//! its place stays, and is watched too, so that the path leads to the socket again when that has gone.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use remuda_model::{SocketName, WorkerId};
use remuda_sys::CallError;
use remuda_sys::event::{FileWatch, Interest, WatchId};
use remuda_sys::socket::{Place, SocketFile};

use crate::daemon::Daemon;
use crate::sockets::{Bound, Revived};
use crate::source::Source;

/// How long a socket whose file was lost with its spare is not bound anew once more: whoever removes both whenever it
/// starts would otherwise be replaced for ever.
const ANEW_PAUSE: Duration = Duration::from_secs(60);
/// How often a path is looked at in one go while others change it.
const LOOKS: u32 = 3;

/// The files of the sockets in force.
#[derive(Debug, Default)]
pub(crate) struct SocketFiles {
    /// Absent without a socket that has a file, and where the kernel has refused it.
    watch: Option<FileWatch>,
    /// That it has refused was told.
    unwatched: bool,
    /// By the numbers of the sockets.
    kept: BTreeMap<u64, Kept>,
}

#[derive(Debug)]
struct Kept {
    name: SocketName,
    file: SocketFile,
    /// It has a spare name.
    spare: bool,
    watch: Option<WatchId>,
    /// Somebody else's file at the path.
    stranger: Option<WatchId>,
    /// How often it was put back.
    put_back: u64,
    /// What is wrong now, which was told.
    told: Option<Wrong>,
    /// When it was bound anew.
    anew: Option<Instant>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wrong {
    Taken,
    Lost,
}

impl SocketFiles {
    /// How often the file of a socket was put back, if it has one.
    pub(crate) fn put_back(&self, socket: u64) -> Option<u64> {
        self.kept.get(&socket).map(|kept| kept.put_back)
    }

    /// The socket that a watched file concerns.
    fn concerned(&self, id: WatchId) -> Option<u64> {
        let concerns = |kept: &Kept| kept.watch == Some(id) || kept.stranger == Some(id);
        self.kept.iter().find(|(_, kept)| concerns(kept)).map(|(socket, _)| *socket)
    }

    fn unwatch(&self, ids: impl IntoIterator<Item = WatchId>) {
        if let Some(watch) = &self.watch {
            ids.into_iter().for_each(|id| watch.unwatch(id));
        }
    }
}

impl Daemon {
    /// Takes in the files there are now: each gets its spare name, and is watched.
    pub(crate) fn watch_files(&mut self) {
        let now = self.sockets.files();
        let mut former = std::mem::take(&mut self.files.kept);
        let mut fresh = Vec::new();
        for (socket, name, file) in now {
            let before = former.remove(&socket);
            let kept = match before {
                Some(kept) if kept.file == file => kept,
                before => {
                    fresh.push(socket);
                    let (put_back, anew) =
                        before.as_ref().map_or((0, None), |kept| (kept.put_back, kept.anew));
                    self.files.unwatch(before.into_iter().flat_map(Kept::into_watches));
                    Kept { name, file, spare: false, watch: None, stranger: None, put_back, told: None, anew }
                }
            };
            self.files.kept.insert(socket, kept);
        }
        self.files.unwatch(former.into_values().flat_map(Kept::into_watches));
        for socket in fresh {
            self.look_at_file(socket);
            let lost = self.files.kept.get(&socket).is_some_and(|kept| kept.told == Some(Wrong::Lost));
            if !lost {
                self.keep_spare(socket);
            }
        }
    }

    fn keep_spare(&mut self, socket: u64) {
        let Some(kept) = self.files.kept.get_mut(&socket) else { return };
        let spared = kept.file.keep_spare();
        kept.spare = spared.is_ok();
        let (name, path) = (kept.name.clone(), kept.file.spare().path);
        if let Err(error) = spared {
            return self.unspared(&name, &error);
        }
        let watched =
            self.watch_of_files().and_then(|watch| watch.map(|watch| watch.watch(&path)).transpose());
        match (watched, self.files.kept.get_mut(&socket)) {
            (Ok(id), Some(kept)) => kept.watch = id,
            (Ok(_), None) => {}
            (Err(error), _) => {
                if !std::mem::replace(&mut self.files.unwatched, true) {
                    self.trouble(format!(
                        "watch the files of sockets: {error}; one that a worker removes is put back when the worker \
                         has ended"
                    ));
                }
            }
        }
        // It may have gone before it was watched.
        self.look_at_file(socket);
    }

    /// The watch; `None` if it was refused before.
    fn watch_of_files(&mut self) -> Result<Option<&FileWatch>, CallError> {
        if self.files.watch.is_none() && !self.files.unwatched {
            let watch = FileWatch::new()?;
            self.poller.get_ref().add(&watch, Source::Files.token(), Interest::Read)?;
            self.files.watch = Some(watch);
        }
        Ok(self.files.watch.as_ref())
    }

    /// Something has happened to watched files.
    pub(crate) fn files_changed(&mut self) {
        let Some(changed) = self.files.watch.as_ref().map(FileWatch::changed) else { return };
        let concerned: BTreeSet<u64> = if changed.lost {
            self.files.kept.keys().copied().collect()
        } else {
            changed.files.iter().filter_map(|id| self.files.concerned(*id)).collect()
        };
        concerned.into_iter().for_each(|socket| self.look_at_file(socket));
    }

    /// Looks after the files of the sockets that a worker had, which has ended.
    pub(crate) fn look_at_files_of(&mut self, worker: WorkerId) {
        let Some(child) = self.children.get(&worker) else { return };
        let sockets: Vec<u64> = child.sockets.iter().map(|socket| socket.id).collect();
        sockets.into_iter().for_each(|socket| self.look_at_file(socket));
    }

    /// Has the path of a socket lead to it, if it can.
    fn look_at_file(&mut self, socket: u64) {
        for _ in 0..LOOKS {
            let Some(kept) = self.files.kept.get_mut(&socket) else { return };
            let placed = kept.file.put_back();
            if !matches!(placed, Ok(Place::Taken)) {
                let stranger = kept.stranger.take();
                self.files.unwatch(stranger);
            }
            match placed {
                Ok(Place::Kept) => return self.file_is_there(socket),
                Ok(Place::PutBack) => return self.file_put_back(socket),
                Ok(Place::Taken) => {
                    if !self.file_taken(socket) {
                        return;
                    }
                }
                Err(error) => return self.file_lost(socket, &error),
            }
        }
    }

    fn file_is_there(&mut self, socket: u64) {
        let Some(kept) = self.files.kept.get_mut(&socket) else { return };
        kept.told = None;
        // Who tidies a folder up may take the spare alone.
        if kept.spare
            && let Err(error) = kept.file.keep_spare()
        {
            kept.spare = false;
            let name = kept.name.clone();
            self.unspared(&name, &error);
        }
    }

    fn unspared(&mut self, name: &SocketName, error: &CallError) {
        self.trouble(format!(
            "keep a spare of the file of socket {name}: {error}; if somebody removes the file, nobody can connect until \
             the socket is bound again"
        ));
    }

    fn file_put_back(&mut self, socket: u64) {
        self.file_is_there(socket);
        let Some(kept) = self.files.kept.get_mut(&socket) else { return };
        kept.put_back += 1;
        if kept.put_back > 1 {
            return;
        }
        let (name, path) = (kept.name.clone(), kept.file.path.display().to_string());
        let who = self.who_has(socket);
        self.trouble(format!(
            "the file of socket {name}, {path}, was removed{who} and is put back, as it will be each time; this is \
             told once; a worker that stops should leave it alone"
        ));
    }

    /// Somebody else's file is at the path. Says whether to look again: it may have gone before it was watched.
    fn file_taken(&mut self, socket: u64) -> bool {
        let Some(kept) = self.files.kept.get_mut(&socket) else { return false };
        let (name, path) = (kept.name.clone(), kept.file.path.clone());
        let first = kept.told.replace(Wrong::Taken) != Some(Wrong::Taken);
        let before = kept.stranger;
        let watched = self.files.watch.as_ref().map(|watch| watch.watch(&path));
        let id = watched.and_then(Result::ok);
        if let Some(kept) = self.files.kept.get_mut(&socket) {
            kept.stranger = id;
        }
        if before != id {
            self.files.unwatch(before);
        }
        if first {
            self.trouble(format!(
                "somebody has put another file at {}, the path of socket {name}: it is left alone, and who connects \
                 there does not reach this socket until it is gone",
                path.display()
            ));
        }
        id != before
    }

    /// Nothing is at the path, and the file cannot be put there.
    fn file_lost(&mut self, socket: u64, error: &CallError) {
        let Some(kept) = self.files.kept.get_mut(&socket) else { return };
        let (name, path) = (kept.name.clone(), kept.file.path.display().to_string());
        // Without a spare, workers that remove it when they stop would remove that of the next one too.
        let now = Instant::now();
        let may = kept.spare && kept.anew.is_none_or(|last| now.duration_since(last) >= ANEW_PAUSE);
        let known = kept.told.replace(Wrong::Lost) == Some(Wrong::Lost);
        let bound = self.sockets.get(&name).filter(|bound| bound.id == socket).cloned();
        let why = match bound.filter(|_| may) {
            Some(bound) => {
                kept.anew = Some(now);
                match bound.revive(0) {
                    Revived::Again | Revived::Anew => return self.file_anew(&bound, &path),
                    Revived::Not(reason) => reason,
                }
            }
            None => error.to_string(),
        };
        if !known {
            self.trouble(format!(
                "the file of socket {name}, {path}, was removed and cannot be put back: {why}; nobody can connect \
                 there until it is bound again"
            ));
        }
    }

    fn file_anew(&mut self, bound: &Arc<Bound>, path: &str) {
        self.trouble(format!(
            "the file of socket {}, {path}, was removed, and so was its spare: it is bound anew, and the workers that \
             have the old one are replaced",
            bound.name
        ));
        self.slots_changed_of(bound);
        self.reload_holders(bound);
    }

    /// Whose workers may have done it, in words.
    fn who_has(&self, socket: u64) -> String {
        let has = self.children.values().filter(|child| child.sockets.iter().any(|own| own.id == socket));
        let services: BTreeSet<&str> = has.map(|child| child.spec.name.as_str()).collect();
        if services.is_empty() {
            return String::new();
        }
        let services: Vec<&str> = services.into_iter().collect();
        format!(" (workers of {} have it)", services.join(" and "))
    }
}

impl Kept {
    fn into_watches(self) -> impl Iterator<Item = WatchId> {
        self.watch.into_iter().chain(self.stranger)
    }
}
