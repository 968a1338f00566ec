//! What the arbiter does for its hub: folders, a secret, and the words by which workers find it.
//!
//! The hub is a worker like any other but for three things. It has a folder that outlives it, and in it the instance's
//! secret. It is told its settings on descriptor 0 instead of by its command line, which everybody can read. And the
//! workers of other services are told where it is and how to show who they are ([`endpoints`]).

mod endpoints;

use std::collections::BTreeSet;
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt, chown};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use remuda_model::gateway::{GatewaySettings, HubAccess};
use remuda_model::hub::{HubSettings, HubSpec, SECRET_FILE, Secret, token};
use remuda_model::{Config, ServiceName, ServiceSpec, SpawnFailure, view};
use remuda_sys::files::{self, Durability};
use remuda_sys::users::{LookupError, effective_user, lookup_user};
use remuda_sys::{CallError, machine, memfd, random};

use serde::Serialize;

use crate::daemon::Daemon;
use crate::gateway::Seat;
use crate::spawner::account;

pub(crate) use endpoints::{Endpoints, reachable};

/// The folder of the handover socket, in the runtime folder. With the socket's name it is no longer than that of a
/// notify socket, for which the runtime folder's path is known to leave room.
pub(crate) const HANDOVER_FOLDER: &str = "hub";
/// The handover socket.
const HANDOVER_SOCKET: &str = "handover.sock";
/// Longest file that can be a secret.
const SECRET_FILE_BYTES_MAX: usize = 256;

/// Why there can be no hub. Folders may have been made; what was there is as it was.
#[derive(Debug, thiserror::Error)]
pub enum HubError {
    /// A folder cannot be made or used.
    #[error("the hub's folder {path}: {attempt}: {source}", path = path.display())]
    Folder {
        /// What was tried.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        #[source]
        source: io::Error,
    },
    /// The folder belongs to somebody else, who could read what is in it.
    #[error("the hub's folder {path} belongs to uid {owner}, and the hub runs as uid {wanted}; set `state` in [hub], or: chown -R {wanted} {path}", path = path.display())]
    Owner {
        /// The folder.
        path: PathBuf,
        /// Its owner.
        owner: u32,
        /// The hub's user.
        wanted: u32,
    },
    /// The folder above it belongs to somebody else, who could put another in its place.
    #[error("the hub's folder {path} lies in one of uid {owner}, who could put something else in its place; set `state` in [hub] to a folder in one of root's or of uid {ours}", path = path.display())]
    Above {
        /// The hub's folder.
        path: PathBuf,
        /// The owner of the one above.
        owner: u32,
        /// Who runs the arbiter.
        ours: u32,
    },
    /// The secret is known to others than us.
    #[error("the hub's secret {path} can be read by others (mode {mode:04o}); remove it, and all tokens change, or: chmod 600 {path}", path = path.display())]
    Exposed {
        /// Its file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// The file holds something else.
    #[error("the hub's secret {path} is damaged: it should be 64 hexadecimal digits; remove it, and all tokens change", path = .0.display())]
    Damaged(PathBuf),
    /// The secret cannot be read, made or written.
    #[error("the hub's secret: {0}")]
    Secret(#[from] CallError),
    /// The hub's user, or one of those who may use it, is not known.
    #[error("who may use the hub: {0}")]
    User(#[from] LookupError),
    /// The hub's user or group cannot be had.
    #[error("as whom the hub runs: {0}")]
    Account(SpawnFailure),
}

/// What a worker is told of the hub.
#[derive(Debug, Default)]
pub(crate) enum Share {
    /// Nothing.
    #[default]
    Nothing,
    /// Where it is, and how to show who one is, as variables.
    Variables(Vec<(&'static str, String)>),
    /// All: it is the hub.
    Settings(Box<HubSettings>),
    /// What a gateway is told, the hub among other things.
    Gateway(Box<GatewaySettings>),
}

/// The spec of a config's hub.
pub(crate) fn spec_in(config: &Config) -> Option<(&ServiceSpec, &HubSpec)> {
    config.services.values().find_map(|spec| Some((spec.as_ref(), spec.kind.hub()?)))
}

/// Makes the folders of a config's hub, if it has one, and its secret, if that is not there yet.
pub(crate) fn furnish(config: &Config) -> Result<Option<Secret>, HubError> {
    let Some((spec, hub)) = spec_in(config) else { return Ok(None) };
    let (_, credentials) = account(spec).map_err(HubError::Account)?;
    let owner = credentials.map(|credentials| (credentials.uid, credentials.gid));
    own_folder(&hub.state_dir, owner, effective_user())?;
    own_folder(&config.instance.runtime_dir.join(HANDOVER_FOLDER), owner, effective_user())?;
    secret_in(&hub.state_dir).map(Some)
}

/// A folder that nobody but its owner sees into; folders above it are made so that one can walk through.
fn own_folder(path: &Path, owner: Option<(u32, u32)>, ours: u32) -> Result<(), HubError> {
    let failed = |attempt| move |source| HubError::Folder { attempt, path: path.to_path_buf(), source };
    if let Some(above) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o711)
            .create(above)
            .map_err(failed("make what it is in"))?;
        let owner = std::fs::metadata(above).map_err(failed("look at what it is in"))?.uid();
        if owner != 0 && owner != ours {
            return Err(HubError::Above { path: path.to_path_buf(), owner, ours });
        }
    }
    let made = match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => true,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => false,
        Err(error) => return Err(failed("make it")(error)),
    };
    let wanted = owner.map_or(ours, |(user, _)| user);
    let is_link = std::fs::symlink_metadata(path).map_err(failed("look at it"))?.is_symlink();
    let found = std::fs::metadata(path).map_err(failed("look at it"))?;
    if !found.is_dir() {
        return Err(failed("use it")(io::Error::from(io::ErrorKind::NotADirectory)));
    }
    // Of ours, one that is empty can be given away; what a link leads to is somebody else's choice.
    let is_free = made || (!is_link && found.uid() == ours && is_empty(path));
    if let (Some((user, group)), true) = (owner, is_free) {
        chown(path, Some(user), Some(group)).map_err(failed("give it to the hub's user"))?;
    } else if found.uid() != wanted {
        return Err(HubError::Owner { path: path.to_path_buf(), owner: found.uid(), wanted });
    }
    if found.mode() & 0o777 != 0o700 {
        std::fs::set_permissions(path, PermissionsExt::from_mode(0o700)).map_err(failed("set its mode"))?;
    }
    Ok(())
}

fn is_empty(path: &Path) -> bool {
    std::fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none())
}

/// The secret in a state folder, made if there is none.
fn secret_in(folder: &Path) -> Result<Secret, HubError> {
    let path = folder.join(SECRET_FILE);
    match std::fs::symlink_metadata(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let secret = Secret::new(random::bytes()?);
            let text = format!("{}\n", secret.to_hex());
            files::replace(&path, text.as_bytes(), 0o600, Durability::Power)?;
            return Ok(secret);
        }
        // The folder is the hub's user's: no pipe of his may hold us up.
        Ok(found) if !found.is_file() => return Err(HubError::Damaged(path)),
        // What else is wrong shows when it is read.
        Ok(found) if found.mode() & 0o077 != 0 => {
            return Err(HubError::Exposed { path, mode: found.mode() & 0o7777 });
        }
        Ok(_) | Err(_) => {}
    }
    let text = files::read(&path, SECRET_FILE_BYTES_MAX)?;
    text.trim_end().parse().ok().ok_or(HubError::Damaged(path))
}

/// Users whose processes may do everything: root, ours, and the hub's own.
fn own_uids(hub: Option<u32>) -> BTreeSet<u32> {
    [0, effective_user()].into_iter().chain(hub).collect()
}

/// The settings of a built-in worker, as its descriptor 0.
pub(crate) fn settings_file(settings: &impl Serialize) -> Result<OwnedFd, CallError> {
    let text = serde_json::to_vec(settings)
        .map_err(|error| CallError::new("write a worker's settings", io::Error::from(error)))?;
    memfd::sealed("remuda-settings", &text)
}

impl Daemon {
    /// What a new worker of this service is told of the hub, or, if it is built in, of everything.
    pub(crate) fn share_of(&mut self, spec: &ServiceSpec, seat: &Seat) -> Result<Share, SpawnFailure> {
        let generation = seat.generation;
        if let Some(gateway) = spec.kind.gateway() {
            let settings = self.gateway_settings(spec, Arc::clone(gateway), seat)?;
            return Ok(Share::Gateway(Box::new(settings)));
        }
        if !spec.hub && spec.kind.hub().is_none() {
            return Ok(Share::Nothing);
        }
        let failed = |error: HubError| SpawnFailure {
            stage: "hub".to_owned(),
            errno: 0,
            detail: error.to_string(),
            permanent: false,
        };
        let Some(secret) = self.hub_secret().map_err(failed)? else { return Ok(Share::Nothing) };
        match spec.kind.hub() {
            Some(hub) => {
                let settings = self.hub_settings(spec, hub.clone(), generation, secret).map_err(failed)?;
                Ok(Share::Settings(Box::new(settings)))
            }
            None => {
                let token = token(&secret, spec.name.as_str());
                let endpoints = Endpoints::of(&self.config, &self.sockets);
                Ok(Share::Variables(endpoints.variables(spec.name.as_str(), &token)))
            }
        }
    }

    /// Where a gateway finds the hub, and who it is there.
    pub(crate) fn hub_access(&mut self, spec: &ServiceSpec) -> Result<Option<HubAccess>, HubError> {
        if !spec.hub {
            return Ok(None);
        }
        let Some(secret) = self.hub_secret()? else { return Ok(None) };
        let store = Endpoints::of(&self.config, &self.sockets).store_path();
        let name = spec.name.as_str();
        Ok(store.map(|store| HubAccess { store, user: name.to_owned(), token: token(&secret, name) }))
    }

    /// The instance's secret, as it was when it was first needed: what is told to workers is what the hub was told.
    fn hub_secret(&mut self) -> Result<Option<Secret>, HubError> {
        if self.secret.is_none() {
            self.secret = furnish(&self.config)?;
        }
        Ok(self.secret.clone())
    }

    fn hub_settings(
        &self,
        service: &ServiceSpec,
        spec: HubSpec,
        generation: u64,
        secret: Secret,
    ) -> Result<HubSettings, HubError> {
        let (_, credentials) = account(service).map_err(HubError::Account)?;
        let own = own_uids(credentials.map(|credentials| credentials.uid));
        let mut peer_uids = own.clone();
        for user in &spec.users {
            peer_uids.insert(lookup_user(user)?.uid);
        }
        let mut limited_uids = BTreeSet::new();
        for user in &spec.limited_users {
            // As whom nobody can be, nobody comes; its own service says so.
            let found = lookup_user(user).ok().map(|user| user.uid);
            limited_uids.extend(found.filter(|uid| !own.contains(uid)));
        }
        let instance = &self.config.instance;
        let uses = |spec: &&Arc<ServiceSpec>| spec.hub;
        let services: BTreeSet<ServiceName> =
            self.config.services.values().filter(uses).map(|spec| spec.name.clone()).collect();
        Ok(HubSettings {
            spec,
            instance: instance.name.clone(),
            node: machine::host_name(),
            runtime_dir: instance.runtime_dir.clone(),
            handover: instance.runtime_dir.join(HANDOVER_FOLDER).join(HANDOVER_SOCKET),
            generation,
            peer_uids,
            limited_uids,
            secret,
            services,
        })
    }

    /// Where the hub is, for the picture.
    pub(crate) fn hub_view(&self) -> Option<view::Hub> {
        spec_in(&self.config)?;
        Some(Endpoints::of(&self.config, &self.sockets).view())
    }
}

#[cfg(test)]
mod tests;
