//! How much of anything the other side may make us keep. Nothing is allocated because it was announced.

/// Limits of one connection, in bytes where nothing else is said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One bulk string. Default 64 MiB (Redis' `proto-max-bulk-len` is 512 MiB).
    pub bulk_max: usize,
    /// Arguments of one command, or elements of one reply in all. Default 1,048,576, as Redis before 7.
    pub args_max: usize,
    /// A command in one line, without the array. Default 64 KiB, as Redis.
    pub inline_max: usize,
    /// One command, or one reply, as it comes over the wire. Default 128 MiB (Redis' `client-query-buffer-limit` is
    /// 1 GiB): twice a bulk string, for commands with many.
    pub query_max: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bulk_max: 64 << 20, args_max: 1 << 20, inline_max: 64 << 10, query_max: 128 << 20 }
    }
}

/// Arguments a client may send before it is authenticated: what HELLO with AUTH and SETNAME needs (Redis 6.2).
pub(super) const UNAUTHENTICATED_ARGS_MAX: usize = 10;

/// Bytes of one of them (Redis 6.2).
pub(super) const UNAUTHENTICATED_BULK_MAX: usize = 16 << 10;
