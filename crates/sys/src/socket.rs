//! Listening sockets: bound, adopted, changed while they live, and looked at.
//!
//! The arbiter holds one reference of every listener; its queue lives as long as that. What a descriptor *is* (family,
//! kind, address) is always asked of the kernel, never taken from the config.

mod accept;
mod activation;
mod bind;
mod connect;
mod connections;
mod diagnosis;
mod holder;
mod inode;
mod keep_alive;
mod listener;
mod live;
mod options;
mod passing;
mod peer;
mod probe;
mod queue;
mod spare;
mod steer;
mod unix;
mod unix_diag;

pub use accept::{accept, accept_unix, is_of_one_connection, send_at_once};
pub use activation::{Activation, AdoptError};
pub use bind::{BindError, bind, bind_slot, listen_again, stop_listening};
pub use connect::begin_connect;
pub use connections::connections;
pub use holder::{Holder, holder_of_port};
pub use inode::inode;
pub use keep_alive::keep_alive;
pub use listener::{Family, InspectError, Listener, SocketFile};
pub use live::{ChangeError, apply_in_place, needs_rebind};
pub use options::OptionError;
pub use passing::{
    Arrival, Link, LinkError, LinkListener, LinkPeer, MESSAGE_LIMIT_BYTES, PASSED_LIMIT, Sent,
};
pub use peer::{peer_process, peer_user};
pub use probe::probe;
pub use queue::{Queue, queue, waits};
pub use spare::Place;
pub use steer::steer;

pub(crate) use unix_diag::peer_inode;
