//! Where this node's keys are, and whether they are ours to touch.

use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use remuda_sys::users::{effective_user, lookup_user};
use remuda_trust::Folder;

use crate::arguments::Global;
use crate::config_file::{self, Adjustments, LoadError};
use crate::exit::{Exit, Failure};

/// The state folder of a hub.
#[derive(Debug)]
pub(crate) struct Place {
    state: PathBuf,
    /// The user that the config makes the hub run as.
    user: Option<String>,
    /// The name of the instance, where a config says it.
    pub(crate) instance: Option<String>,
}

/// The folder named, or else that of the hub in the config.
pub(crate) fn find(state: Option<PathBuf>, global: &Global) -> Result<Place, Failure> {
    if let Some(state) = state {
        let state = std::path::absolute(&state).map_err(|error| Failure::file("find", &state, &error))?;
        return Ok(Place { state, user: None, instance: None });
    }
    let files = config_file::chosen(&[], global.config.as_deref())
        .map_err(|failure| failure.hint("--state names the hub's state folder where there is no config"))?;
    let read = config_file::load(&files, &Adjustments::default()).map_err(LoadError::into_failure)?;
    let config = read.loaded.config;
    let hub = config.services.values().find_map(|service| Some((service, service.kind.hub()?)));
    let Some((service, hub)) = hub else {
        return Err(Failure::misuse(format!("instance {} has no hub", config.instance.name))
            .hint("write [bus] or [store] into the config; the hub is what links servers"));
    };
    Ok(Place {
        state: hub.state_dir.clone(),
        user: service.identity.user.clone(),
        instance: Some(config.instance.name.clone()),
    })
}

impl Place {
    /// The folder, of whose files we are the owner.
    pub(crate) fn folder(&self) -> Result<Folder, Failure> {
        match std::fs::metadata(&self.state) {
            Ok(found) => self.be(found.uid())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(Failure::file("look at", &self.state, &error)),
        }
        Ok(Folder::in_state(&self.state))
    }

    /// The folder, for a node that begins: the hub may never have run, so the state folder is made as the hub would have it.
    pub(crate) fn new_folder(&self) -> Result<Folder, Failure> {
        if !self.state.exists() {
            if let Some(user) = &self.user {
                let known = lookup_user(user).map_err(|error| Failure::misuse(error.to_string()))?;
                self.be(known.uid)?;
            }
            let above = self.state.parent().unwrap_or(Path::new("/"));
            let made = std::fs::DirBuilder::new().recursive(true).mode(0o711).create(above);
            made.and_then(|()| std::fs::DirBuilder::new().mode(0o700).create(&self.state)).map_err(
                |error| Failure::new(Exit::No, format!("cannot make {}: {error}", self.state.display())),
            )?;
        }
        self.folder()
    }

    /// What we write, the hub must be able to read, and nobody else.
    fn be(&self, owner: u32) -> Result<(), Failure> {
        let ours = effective_user();
        if owner == ours {
            return Ok(());
        }
        let state = self.state.display();
        let message = format!("the hub's state folder {state} is for uid {owner}, and this is uid {ours}");
        Err(Failure::new(Exit::Refused, message)
            .hint(format!("run this as the hub's user: sudo -u '#{owner}' remuda herd …")))
    }
}
