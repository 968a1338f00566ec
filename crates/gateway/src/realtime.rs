//! Realtime: connections that stay, between browsers and workers.
//!
//! Browsers speak Socket.IO, plain WebSockets or Server-Sent Events with the gateway; workers publish on the bus and
//! subscribe to it, in any language and on any server of the herd. The gateway stands between: it keeps the sessions,
//! so that workers come and go without a client noticing.
//!
//! Pure machines decide: `session` is one session of Engine.IO, `rooms` says who hears what, `crowd` is all
//! clients of a Socket.IO endpoint. Around them are the [`Endpoint`], the [`Bus`] (one connection to the hub for all),
//! and [`Sink`], the way out to one client. A message is encoded once and shared by all who get it; an idle client is a
//! few hundred bytes of state and the task of its connection.

mod bus;
mod channel;
mod crowd;
mod drive;
mod endpoint;
mod feeds;
mod letters;
mod options;
mod origin;
mod outgoing;
mod passing;
mod rooms;
mod session;
mod sid;
mod sink;
mod switchboard;
mod table;

use crate::server::Response;

pub use bus::{Bus, BusCounts, Listener, Message as BusMessage, Replay};
pub use channel::{Channel, ChannelOptions};
pub use crowd::{Counts, Crowd, Gone, LetterError, Orders, Reason};
pub use drive::{Conversation, Message, Scratch, drive};
pub use endpoint::Endpoint;
pub use feeds::{FeedCounts, Feeds};
pub use options::{Admission, Carriers, SocketioOptions};
pub use outgoing::Outgoing;
pub use passing::{Passing, Serve};
pub use rooms::{Audience, JoinError, ROOM_BYTES_MAX, Rooms, Socket};
pub use session::{Beat, Carrier, Heard, Polled, Probed, Queued, Session};
pub use sid::{Owner, Sid, SocketId};
pub use sink::Sink;
pub use switchboard::{Place, Switchboard};
pub use table::Key;

/// A request of a session that nobody has.
fn unknown_session() -> Response {
    let body = r#"{"code":1,"message":"Session ID unknown"}"#;
    Response::with_body(400, "application/json", body).field("Cache-Control", "no-store")
}
