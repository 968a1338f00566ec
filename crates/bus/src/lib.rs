//! The pure machine of the bus: topics, subscriptions, bounded queues, replay, calls between workers.
//!
//! [`Bus`] is broadcast: batches of messages in, bytes for each subscriber out, encoded for what it speaks. [`Services`]
//! are request and reply: a call goes to one worker of a named service, and gets exactly one outcome. [`ReplayWindow`]
//! tells a signed message that is seen again from one that is new. Nothing here does I/O or reads a clock.
//!
//! | module | what it holds |
//! |---|---|
//! | `bus` | members, subscribing, publishing, writing, replay |
//! | `filter`, `prefix_tree`, `subscriptions` | who asked for what |
//! | `route` | who gets the messages of a topic |
//! | `bundle`, `frames`, `push` | messages made here, what a message says, and how Redis members are told |
//! | `pool`, `queue`, `member`, `members`, `consumers`, `ring` | what waits, for whom, within what bounds |
//! | `view`, `handover` | pictures, and a bus for the next image |
//! | `services` | calls between workers |
//! | `replay_window` | signed messages seen before |

mod bundle;
mod bus;
mod consumers;
mod filter;
mod frames;
mod handover;
mod member;
mod members;
mod options;
mod pool;
mod prefix_tree;
mod push;
mod queue;
mod replay_window;
mod reserved;
mod ring;
mod route;
mod services;
mod subscriptions;
mod view;

pub use bundle::Bundle;
pub use bus::{Bus, CaughtUp, ChangeError, JoinError, PublishError, Published};
pub use filter::{Filter, FilterKind, SubscribeError, Subscribed};
pub use handover::{RestoreError, SavedBus, SavedMember, SavedRing, SavedSegment};
pub use member::{Counters, Encoding, MemberId, Membership, Origin, Role};
pub use options::{BusOptions, Overflow, QueueLimits, RingSpec};
pub use replay_window::{Refused, ReplayWindow, ReplayWindowOptions};
pub use reserved::Reserved;
pub use ring::{Replay, Replayed};
pub use services::{
    Answered, CallCounters, CallFailure, CallId, CallSpec, Capacity, PeerId, RegisterError, ServiceOrder,
    ServiceView, Services, ServicesOptions,
};
pub use view::{BusView, MemberView, Totals};
