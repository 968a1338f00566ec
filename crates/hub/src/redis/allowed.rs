//! Which commands a client may use, and on which keys: what the rules of its service, and where it stands, leave it.

use remuda_wire::resp::Writer;

use super::CommandKind;
use super::own::{LockVerb, Own, Verb};
use super::session::Session;
use super::text;
use crate::access::{Denied, User};
use crate::core::Core;

/// Whether the client may do this, now.
pub(super) fn allowed(session: &Session, kind: CommandKind, command: &[&[u8]]) -> Result<(), String> {
    let Some(user) = &session.user else {
        return match kind {
            CommandKind::Own(own) if own.before_auth => Ok(()),
            _ => Err("NOAUTH Authentication required.".to_owned()),
        };
    };
    if session.is_listening_only() && !matches!(kind, CommandKind::Own(own) if own.while_listening) {
        return Err(format!(
            "ERR Can't execute '{}': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / RESET are allowed in this context",
            kind.name().to_ascii_lowercase()
        ));
    }
    match kind {
        CommandKind::Store(spec) => user.may_run(spec, command).map_err(|denied| denied.to_string()),
        CommandKind::Own(own) if own.verb == Verb::Watch => {
            let may = command[1..].iter().all(|key| user.access.may_read(key));
            if may { Ok(()) } else { Err(Denied::Key.to_string()) }
        }
        CommandKind::Own(own) if lock_rule(own).is_some() => {
            let may = match lock_rule(own) {
                Some(Rule::Write) => user.access.may_write(command[1]),
                _ => user.access.may_read(command[1]),
            };
            if may { Ok(()) } else { Err(Denied::Key.to_string()) }
        }
        // Nobody here knows which of its arguments are keys.
        CommandKind::Foreign(_) if !user.is_unrestricted() => Err(no_permissions(user, kind)),
        CommandKind::Own(own) if concerns_all(own, command) && !user.is_unrestricted() => {
            Err(no_permissions(user, kind))
        }
        _ => Ok(()),
    }
}

/// What a client has to be allowed with a key of the lock's name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rule {
    Read,
    Write,
}

fn lock_rule(own: &Own) -> Option<Rule> {
    match own.verb {
        Verb::Lock(LockVerb::Acquire | LockVerb::Renew | LockVerb::Release) => Some(Rule::Write),
        Verb::Lock(LockVerb::Info) => Some(Rule::Read),
        _ => None,
    }
}

fn no_permissions(user: &User, kind: CommandKind) -> String {
    format!(
        "NOPERM User {} has no permissions to run the '{}' command",
        user.name,
        kind.name().to_ascii_lowercase()
    )
}

/// Whether a command changes something for everybody, or tells of everybody's keys.
fn concerns_all(own: &Own, command: &[&[u8]]) -> bool {
    let says =
        |words: &[&str]| command.get(1).is_some_and(|what| words.iter().any(|word| text::is(what, word)));
    match own.verb {
        Verb::BgRewrite => true,
        Verb::Config => says(&["SET", "REWRITE", "RESETSTAT"]),
        Verb::Script => says(&["FLUSH"]),
        // It names keys that differ.
        Verb::HubHerd => command.len() > 1,
        _ => false,
    }
}

/// `ACL WHOAMI|USERS|CAT`.
pub(super) fn acl(core: &Core, session: &Session, out: &mut Writer<'_>, rest: &[&[u8]]) {
    let user = session.user.as_ref().map_or("default", |user| user.name.as_str());
    match rest {
        [what] if text::is(what, "WHOAMI") => out.bulk(user.as_bytes()),
        [what] if text::is(what, "USERS") => {
            let names: Vec<_> = core.users.names().map(str::to_owned).collect();
            out.array(names.len());
            for name in names {
                out.bulk(name.as_bytes());
            }
        }
        [what] if text::is(what, "CAT") => out.array(0),
        _ => out.error(
            "ERR users and their rules are set in remuda.toml ([access.…]); ACL knows WHOAMI and USERS",
        ),
    }
}
