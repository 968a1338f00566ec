//! Who may do what: each service has a token, and where the config says so, prefixes of keys and topics.
//!
//! A user is a service of the instance, or `default`: whoever need not say who it is. Through a Unix socket that is
//! anybody whom the file system and the list of users let in; over TCP it is nobody, unless the config allows it.

use std::sync::Arc;

use remuda_model::ServiceName;
use remuda_model::hub::{Access, HubSettings, is_token};
use remuda_store::{CommandSpec, Flag};

use crate::events;

/// The name of whoever did not say one.
const DEFAULT: &str = "default";

/// A client or peer, as far as rules are concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct User {
    /// The service, or `default`.
    pub(crate) name: String,
    pub(crate) access: Access,
    /// Whether it showed who it is, or came by a way only our own users have: it alone hears of the store's changes.
    pub(crate) is_known: bool,
}

impl User {
    /// Whether it may hear every topic that begins with `prefix`. What tells of keys is for those who may read them: the
    /// rule about keys decides there, if there is one, and not the one about topics.
    pub(crate) fn may_hear(&self, prefix: &[u8]) -> bool {
        let keys = match events::keys_told_on(prefix) {
            Some(keys) if self.access.keys.is_some() => keys,
            _ => return self.access.may_subscribe(prefix),
        };
        keys.is_some_and(|keys| self.access.may_read(keys))
    }

    /// Whether it may be told again what was said on topics that begin with `prefix`. A ring does not know who was to hear
    /// what it keeps: the store's changes are for those alone who would have heard them.
    pub(crate) fn may_replay(&self, prefix: &[u8]) -> bool {
        self.may_hear(prefix) && (self.is_known || !events::is_reserved(prefix))
    }

    /// Whether it may be one of those who get each message in turn, whatever its topic is.
    pub(crate) fn may_take_work(&self) -> bool {
        self.access.may_subscribe(b"")
    }

    /// Whether the rules about keys let it run this command of the store, by whatever way it came.
    pub(crate) fn may_run(&self, spec: &CommandSpec, command: &[&[u8]]) -> Result<(), Denied> {
        if self.access.keys.is_none() {
            return Ok(());
        }
        if matches!(spec.name, "sort" | "sort_ro") && reads_other_keys(command) {
            return Err(Denied::Patterns);
        }
        if spec.keys_of(command).next().is_none() {
            return Err(Denied::Command { user: self.name.clone(), command: spec.name });
        }
        let may = |key: &[u8]| match spec.flags.has(Flag::Write) {
            true => self.access.may_write(key),
            false => self.access.may_read(key),
        };
        if spec.keys_of(command).names().all(may) { Ok(()) } else { Err(Denied::Key) }
    }

    /// Whether it may do what concerns others: their connections, settings, scripts.
    pub(crate) fn is_unrestricted(&self) -> bool {
        self.access.is_everything()
    }
}

/// Why a user may not do something, in Redis' words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Denied {
    /// `SORT` would look at keys that its arguments do not name.
    #[error("ERR BY and GET options of SORT are denied to a user whose keys are limited")]
    Patterns,
    /// The command concerns all keys.
    #[error("NOPERM User {user} has no permissions to run the '{command}' command")]
    Command {
        /// Who asked.
        user: String,
        /// For what.
        command: &'static str,
    },
    /// A key is none of its own.
    #[error("NOPERM No permissions to access a key")]
    Key,
}

/// All users.
#[derive(Debug)]
pub(crate) struct Users {
    settings: Arc<HubSettings>,
    anonymous: Arc<User>,
    trusted: Arc<User>,
}

impl Users {
    pub(crate) fn new(settings: Arc<HubSettings>) -> Self {
        let default =
            |is_known| Arc::new(User { name: DEFAULT.to_owned(), access: Access::default(), is_known });
        Self { settings, anonymous: default(false), trusted: default(true) }
    }

    /// Who shows this name and token. Without a name (`AUTH token`, or the name `default`) the token alone decides.
    pub(crate) fn authenticate(&self, name: &[u8], token: &[u8]) -> Option<Arc<User>> {
        let name = std::str::from_utf8(name).ok()?;
        if name != DEFAULT {
            let name = ServiceName::new(name).ok()?;
            return is_token(&self.settings.secret, name.as_str(), token).then(|| self.user(name.as_str()));
        }
        let mut found = None;
        // All are looked at, so that the time it takes does not say which one it was.
        for service in &self.settings.services {
            if is_token(&self.settings.secret, service.as_str(), token) {
                found = Some(service);
            }
        }
        found.map(|service| self.user(service.as_str()))
    }

    /// The service `name`.
    pub(crate) fn user(&self, name: &str) -> Arc<User> {
        Arc::new(User { name: name.to_owned(), access: self.settings.access(name), is_known: true })
    }

    /// Whoever comes over TCP, where the config lets anybody in, or as the user of some service to where nobody can say
    /// which one it is.
    pub(crate) fn anonymous(&self) -> Arc<User> {
        Arc::clone(&self.anonymous)
    }

    /// Whoever comes through a Unix socket as the instance's own user.
    pub(crate) fn trusted(&self) -> Arc<User> {
        Arc::clone(&self.trusted)
    }

    /// The user a connection from another process had.
    pub(crate) fn restored(&self, name: &str, is_known: bool) -> Arc<User> {
        match (name, is_known) {
            (DEFAULT, false) => self.anonymous(),
            (DEFAULT, true) => self.trusted(),
            (name, _) => self.user(name),
        }
    }

    /// Names of all services known when the hub started.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.settings.services.iter().map(ServiceName::as_str)
    }
}

/// Whether `SORT` looks at keys that its arguments do not name.
fn reads_other_keys(command: &[&[u8]]) -> bool {
    let is = |word: &[u8], name: &str| word.eq_ignore_ascii_case(name.as_bytes());
    let mut options = command.windows(2).skip(1).filter(|pair| is(pair[0], "BY") || is(pair[0], "GET"));
    options.any(|pair| pair[1].contains(&b'*'))
}

#[cfg(test)]
mod tests;
