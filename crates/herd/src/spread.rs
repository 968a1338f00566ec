//! What spreads from server to server, and who is there.
//!
//! [`Spread`] is a machine: facts come in as [`Input`]s with the time they came at (a span since any start), what is to be
//! done goes out as [`Order`]s. Links are streams of bytes in order, as TCP gives them; a message is lost only when its
//! link goes.
//!
//! **Numbers.** Each node numbers the messages and changes it spreads; messages that one publisher sent one after the other
//! and the same nodes want ([`Payload::Messages`]) have as many numbers as they are, and are else one thing. Everybody takes an origin's numbers in order, so one number, the one
//! that comes next, says all: what is below has been seen (that ends every cycle), what is above is missing. Each link has
//! a place in what is kept of each origin, and goes on from there when it has room, when it comes up again, or when its
//! peer asks ([`Message::Graft`]). There is no second queue, no buffer for what comes too early, no acknowledgement.
//!
//! **Flood and tree.** In a small herd a message goes over all links but those whose peer has it. In a larger one it goes
//! along a tree: who gets something twice tells the second sender to be *lazy* towards it ([`Message::Prune`]), and lazy
//! links carry only how far one is ([`Message::Have`]). What was announced and does not come is asked for, which makes the
//! link part of the tree; a lazy link over which the origin is nearer takes the place of the one that is part of it. This
//! is Plumtree (Leitão, Pereira, Rodrigues 2007), with digests that name one number for an origin instead of one for each
//! message.
//!
//! **Interest.** Every node's subscriptions are known in short ([`Summary`]). A message goes over a link only if somebody
//! behind it may want it; the next one that does says how many numbers were left out.
//!
//! **Who is there.** Every node says which links it has and how they are. That is flooded, each version once, and read as
//! a graph: a node is there as long as a way leads to it. No node needs a link with every other, and no stranger has to be
//! asked: whoever has a link with a node listens for its signs of life, waits longer when itself is unwell, and shorter
//! when others have lost the node too (Lifeguard's two ideas).

mod announce;
mod cache;
mod gossip;
mod graph;
mod input;
mod kinds;
mod link;
mod links;
mod machine;
mod member;
mod message;
mod options;
mod order;
mod origin;
mod overlay;
mod pulse;
pub(crate) mod random;
mod relay;
mod repair;
mod routes;
mod summary;
mod survey;
mod timers;
mod view;

pub use input::{Input, LinkId, Up};
pub use link::LinkCounters;
pub use machine::Spread;
pub use member::Standing;
pub use message::{
    Contact, Fact, Farewell, Graft, Have, HaveOrigin, Interest, Known, KnownNode, LinkState, Message,
    Payload, Sample, Skip, Update,
};
pub use options::{Mode, SpreadOptions};
pub use order::{Delivery, Disconnected, Event, Order};
pub use summary::{Prefixes, Summary};
pub use view::{Counters, LinkView, MemberView, SpreadView};
