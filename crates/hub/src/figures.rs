//! What is counted beside what the machines count themselves.

/// Counts since the start of the hub.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Figures {
    /// Connections taken in.
    pub(crate) accepted: u64,
    /// Connections turned away: too many, or nobody we serve.
    pub(crate) rejected: u64,
    /// How often no connection could be taken in for want of descriptors.
    pub(crate) accept_failures: u64,
    /// Connections ended for what they sent.
    pub(crate) protocol_errors: u64,
    /// Wrong tokens, keys, signatures.
    pub(crate) refused: u64,
    /// Commands of Redis clients.
    pub(crate) commands: u64,
    /// Messages of ZeroMQ peers, requests included.
    pub(crate) messages_in: u64,
    /// Messages dropped because their sender may not publish on their topic.
    pub(crate) refused_messages: u64,
    /// Members of the bus cut off because they read too slowly.
    pub(crate) cut_off: u64,
    /// Scripts run.
    pub(crate) scripts: u64,
    /// Peers given up for silence.
    pub(crate) silent: u64,
    /// Redis clients now.
    pub(crate) redis_clients: usize,
    /// ZeroMQ peers now.
    pub(crate) zeromq_peers: usize,
    /// Connections with other servers now, those that are being made among them.
    pub(crate) servers: usize,
}
