//! The commands that are the hub's and not the store's: about connections, the bus, scripts, calls, locks.

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Acl,
    Auth,
    BgRewrite,
    BusEcho,
    BusReplay,
    BusSubscribe,
    BusUnsubscribe,
    Changes,
    Client,
    Command,
    Config,
    Discard,
    Echo,
    Eval,
    Exec,
    Hello,
    HubHerd,
    HubMetrics,
    Info,
    LastSave,
    Lock(LockVerb),
    Lolwut,
    Module,
    Multi,
    Ping,
    PSubscribe,
    PUnsubscribe,
    Publish,
    PubSub,
    Quit,
    ReadOnly,
    Reset,
    Role,
    SPublish,
    SSubscribe,
    SUnsubscribe,
    Script,
    Select,
    ServiceCall,
    ServiceFail,
    ServiceLeave,
    ServiceNext,
    ServiceReply,
    ServiceServe,
    SlowLog,
    Subscribe,
    Time,
    Unsubscribe,
    Unwatch,
    Wait,
    Watch,
}

/// What to do with a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LockVerb {
    Acquire,
    Info,
    List,
    Release,
    Renew,
}

/// One of them.
#[derive(Debug)]
pub(crate) struct Own {
    pub(crate) name: &'static str,
    /// Words it takes, its name included; negative: at least so many.
    pub(crate) arity: i32,
    pub(crate) verb: Verb,
    /// The version of Redis that had it first, or [`OURS`].
    pub(crate) since: &'static str,
    /// Allowed before a client has said who it is.
    pub(crate) before_auth: bool,
    /// Allowed for a client that only listens (RESP2, subscribed).
    pub(crate) while_listening: bool,
    /// Carried out at once inside `MULTI` instead of being queued.
    pub(crate) not_queued: bool,
}

/// In place of a version of Redis: a command of our own.
pub(crate) const OURS: &str = "";

const fn own(name: &'static str, arity: i32, verb: Verb, since: &'static str) -> Own {
    Own { name, arity, verb, since, before_auth: false, while_listening: false, not_queued: false }
}

const fn listening(own: Own) -> Own {
    Own { while_listening: true, ..own }
}

const fn early(own: Own) -> Own {
    Own { before_auth: true, ..own }
}

const fn at_once(own: Own) -> Own {
    Own { not_queued: true, ..own }
}

/// All, by name.
pub(crate) static OWN: [Own; 62] = [
    own("ACL", -2, Verb::Acl, "6.0.0"),
    early(own("AUTH", -2, Verb::Auth, "1.0.0")),
    own("BGREWRITEAOF", 1, Verb::BgRewrite, "1.0.0"),
    own("BGSAVE", -1, Verb::BgRewrite, "1.0.0"),
    own("BUS.ECHO", 2, Verb::BusEcho, OURS),
    own("BUS.REPLAY", 3, Verb::BusReplay, OURS),
    listening(own("BUS.SUBSCRIBE", -2, Verb::BusSubscribe, OURS)),
    listening(own("BUS.UNSUBSCRIBE", 2, Verb::BusUnsubscribe, OURS)),
    own("CHANGES", -1, Verb::Changes, OURS),
    own("CLIENT", -2, Verb::Client, "2.4.0"),
    own("COMMAND", -1, Verb::Command, "2.8.13"),
    own("CONFIG", -2, Verb::Config, "2.0.0"),
    at_once(own("DISCARD", 1, Verb::Discard, "2.0.0")),
    own("ECHO", 2, Verb::Echo, "1.0.0"),
    own("EVAL", -3, Verb::Eval, "2.6.0"),
    own("EVALSHA", -3, Verb::Eval, "2.6.0"),
    own("EVALSHA_RO", -3, Verb::Eval, "7.0.0"),
    own("EVAL_RO", -3, Verb::Eval, "7.0.0"),
    at_once(own("EXEC", 1, Verb::Exec, "1.2.0")),
    early(own("HELLO", -1, Verb::Hello, "6.0.0")),
    own("HUB.HERD", -1, Verb::HubHerd, OURS),
    own("HUB.METRICS", 1, Verb::HubMetrics, OURS),
    own("INFO", -1, Verb::Info, "1.0.0"),
    own("LASTSAVE", 1, Verb::LastSave, "1.0.0"),
    own("LOCK.ACQUIRE", -3, Verb::Lock(LockVerb::Acquire), OURS),
    own("LOCK.INFO", 2, Verb::Lock(LockVerb::Info), OURS),
    own("LOCK.LIST", 1, Verb::Lock(LockVerb::List), OURS),
    own("LOCK.RELEASE", 3, Verb::Lock(LockVerb::Release), OURS),
    own("LOCK.RENEW", 4, Verb::Lock(LockVerb::Renew), OURS),
    own("LOLWUT", -1, Verb::Lolwut, "5.0.0"),
    own("MODULE", -2, Verb::Module, "4.0.0"),
    at_once(own("MULTI", 1, Verb::Multi, "1.2.0")),
    listening(own("PING", -1, Verb::Ping, "1.0.0")),
    listening(own("PSUBSCRIBE", -2, Verb::PSubscribe, "2.0.0")),
    own("PUBLISH", 3, Verb::Publish, "2.0.0"),
    own("PUBSUB", -2, Verb::PubSub, "2.8.0"),
    listening(own("PUNSUBSCRIBE", -1, Verb::PUnsubscribe, "2.0.0")),
    at_once(early(listening(own("QUIT", -1, Verb::Quit, "1.0.0")))),
    own("READONLY", 1, Verb::ReadOnly, "3.0.0"),
    own("READWRITE", 1, Verb::ReadOnly, "3.0.0"),
    at_once(early(listening(own("RESET", 1, Verb::Reset, "6.2.0")))),
    own("ROLE", 1, Verb::Role, "2.8.12"),
    own("SAVE", 1, Verb::BgRewrite, "1.0.0"),
    own("SCRIPT", -2, Verb::Script, "2.6.0"),
    own("SELECT", 2, Verb::Select, "1.0.0"),
    own("SERVICE.CALL", 4, Verb::ServiceCall, OURS),
    own("SERVICE.FAIL", 3, Verb::ServiceFail, OURS),
    own("SERVICE.LEAVE", 2, Verb::ServiceLeave, OURS),
    own("SERVICE.NEXT", -1, Verb::ServiceNext, OURS),
    own("SERVICE.REPLY", 3, Verb::ServiceReply, OURS),
    own("SERVICE.SERVE", -2, Verb::ServiceServe, OURS),
    own("SLOWLOG", -2, Verb::SlowLog, "2.2.12"),
    own("SPUBLISH", 3, Verb::SPublish, "7.0.0"),
    listening(own("SSUBSCRIBE", -2, Verb::SSubscribe, "7.0.0")),
    listening(own("SUBSCRIBE", -2, Verb::Subscribe, "2.0.0")),
    listening(own("SUNSUBSCRIBE", -1, Verb::SUnsubscribe, "7.0.0")),
    own("TIME", 1, Verb::Time, "2.6.0"),
    listening(own("UNSUBSCRIBE", -1, Verb::Unsubscribe, "2.0.0")),
    own("UNWATCH", 1, Verb::Unwatch, "2.2.0"),
    own("WAIT", 3, Verb::Wait, "3.0.0"),
    own("WAITAOF", 4, Verb::Wait, "7.2.0"),
    at_once(own("WATCH", -2, Verb::Watch, "2.2.0")),
];

/// The one called `name`, in any case.
pub(crate) fn find(name: &[u8]) -> Option<&'static Own> {
    OWN.iter().find(|own| own.name.len() == name.len() && name.eq_ignore_ascii_case(own.name.as_bytes()))
}
