//! Finding a hierarchy we may write.

use std::fs;
use std::path::{Path, PathBuf};

use super::limits::CONTROLLERS;
use super::worker::{WorkerCgroup, is_populated_at, remove_empty};
use crate::{CallError, files};

/// Where the arbiter itself moves when its own group has to be free of processes to hand out controllers.
const ARBITER_LEAF: &str = "arbiter";

/// Why there are no control groups to be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unavailable {
    /// No version 2 hierarchy is mounted.
    #[error("no cgroup v2 hierarchy is mounted")]
    NotMounted,
    /// Our own group is outside what is mounted here.
    #[error("our own cgroup {group} is not below the mounted root {root}")]
    Elsewhere {
        /// Our group's path in the hierarchy.
        group: String,
        /// The mounted part of it.
        root: String,
    },
    /// It may not be written; systemd grants that by `Delegate=yes`.
    #[error("cgroups cannot be created here: {0}")]
    NotWritable(#[source] CallError),
}

/// The folder in which an instance's workers have their groups.
#[derive(Debug)]
pub struct Cgroups {
    root: PathBuf,
    controllers: Vec<String>,
    survivors: Vec<String>,
}

impl Cgroups {
    /// Finds a writable place for `instance` and prepares it: empty groups that a dead predecessor left are removed,
    /// populated ones stay and are listed as [`survivors`](Self::survivors).
    ///
    /// # Errors
    /// There is no such place, and why.
    pub fn detect(instance: &str) -> Result<Self, Unavailable> {
        let mounts = fs::read_to_string("/proc/self/mountinfo").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
        let base = own_folder(&mounts, &own)?;
        let name = format!("remuda-{instance}");
        let base = above_own_leaf(base, &name);
        let root = base.join(&name);
        if let Err(error) = fs::create_dir(&root)
            && error.kind() != std::io::ErrorKind::AlreadyExists
        {
            return Err(Unavailable::NotWritable(CallError::new(
                format!("create {}", root.display()),
                error,
            )));
        }
        let controllers = hand_out(&base, &root);
        let mut survivors = Vec::new();
        for entry in fs::read_dir(&root).into_iter().flatten().flatten().filter(|entry| entry.path().is_dir())
        {
            if entry.file_name() != ARBITER_LEAF && remove_empty(&entry.path()).is_err() {
                survivors.push(entry.file_name().to_string_lossy().into_owned());
            }
        }
        survivors.sort();
        Ok(Self { root, controllers, survivors })
    }

    /// Groups of workers that outlived a former arbiter, by the names given to [`create`](Self::create).
    #[must_use]
    pub fn survivors(&self) -> &[String] {
        &self.survivors
    }

    /// Controllers that limits can use here: of `memory`, `cpu`, `pids`. None beside a version 1 hierarchy that has
    /// them.
    #[must_use]
    pub fn controllers(&self) -> &[String] {
        &self.controllers
    }

    /// The folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// A group for `worker`, new or a survivor's. The name becomes a folder's: slashes and a leading dot are replaced.
    ///
    /// # Errors
    /// The kernel's limit of groups is reached, or somebody took the folder away.
    pub fn create(&self, worker: &str) -> Result<WorkerCgroup, CallError> {
        let name = worker.replace('/', "_").replace("..", "__");
        WorkerCgroup::open(&self.root.join(name.trim_start_matches('.')))
    }

    /// Removes the instance's folder, if nobody is in it any more; says whether it did.
    #[must_use]
    pub fn remove(self) -> bool {
        !is_populated_at(&self.root).unwrap_or(true) && remove_empty(&self.root).is_ok()
    }
}

/// A new image of an arbiter that moved itself finds itself in its own leaf; its base is above that.
fn above_own_leaf(base: PathBuf, folder: &str) -> PathBuf {
    match base.parent() {
        Some(parent) if base.ends_with(ARBITER_LEAF) && parent.ends_with(folder) => {
            parent.parent().unwrap_or(parent).into()
        }
        _ => base,
    }
}

/// The folder of our own group: mount point, plus our path in the hierarchy less the part mounted as root.
fn own_folder(mounts: &str, own: &str) -> Result<PathBuf, Unavailable> {
    let group = own.lines().find_map(|line| line.strip_prefix("0::")).ok_or(Unavailable::NotMounted)?;
    let mut elsewhere = None;
    for line in mounts.lines() {
        // proc_pid_mountinfo(5): id parent device root point options … - type source options.
        let Some((left, right)) = line.split_once(" - ") else { continue };
        let mut fields = left.split(' ').skip(3);
        let (Some(root), Some(point)) = (fields.next(), fields.next()) else { continue };
        if !right.starts_with("cgroup2 ") {
            continue;
        }
        match Path::new(group).strip_prefix(root) {
            Ok(rest) => return Ok(Path::new(&unescaped(point)).join(rest)),
            Err(_) => elsewhere = Some(Unavailable::Elsewhere { group: group.into(), root: root.into() }),
        }
    }
    Err(elsewhere.unwrap_or(Unavailable::NotMounted))
}

fn unescaped(path: &str) -> String {
    path.replace("\\040", " ").replace("\\011", "\t").replace("\\012", "\n").replace("\\134", "\\")
}

/// Hands controllers down to `root`'s leaves as far as they go; returns those the leaves have.
fn hand_out(base: &Path, root: &Path) -> Vec<String> {
    let listed = |folder: &Path, file: &str| files::read(&folder.join(file), 4096).unwrap_or_default();
    let has = |text: &str, name: &str| text.split_whitespace().any(|known| known == name);
    let offered = listed(base, "cgroup.controllers");
    let wanted = CONTROLLERS.iter().filter(|name| has(&offered, name));
    let refused = wanted.clone().filter(|name| enable(base, name).is_err()).count();
    // A group with processes of its own cannot hand out controllers. If the only process is this one, as in a
    // delegated unit, it can step aside; anybody else's process stays where it is.
    if refused > 0 && listed(base, "cgroup.procs").trim() == std::process::id().to_string() {
        let leaf = root.join(ARBITER_LEAF);
        let moved =
            fs::create_dir_all(&leaf).is_ok() && files::write(&leaf.join("cgroup.procs"), b"0").is_ok();
        if moved {
            for name in wanted.clone() {
                // What stays refused is missing in the list below.
                drop(enable(base, name));
            }
        }
    }
    for name in wanted {
        drop(enable(root, name));
    }
    let given = listed(root, "cgroup.subtree_control");
    CONTROLLERS.iter().filter(|name| has(&given, name)).map(|name| (*name).to_owned()).collect()
}

fn enable(folder: &Path, controller: &str) -> Result<(), CallError> {
    files::write(&folder.join("cgroup.subtree_control"), format!("+{controller}").as_bytes())
}

#[cfg(test)]
mod tests;
