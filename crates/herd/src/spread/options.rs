//! How a node takes part.

use std::time::Duration;

/// What a node says of itself, and the bounds of all it holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SpreadOptions {
    /// The node's name, as its operators know it.
    pub name: String,
    /// Where it listens for peers.
    pub addresses: Vec<String>,
    /// How messages go; [`Mode::Auto`].
    pub mode: Mode,
    /// Whether topics nobody beyond a link wants are kept from it; yes.
    pub is_filtering: bool,
    /// Whether links are made to nodes that peers tell of, beside those the operator names; no.
    pub is_discovering: bool,
    /// Links that are looked for when discovering; 6, with which flooding 10,000 nodes takes 7 hops.
    pub links_wanted: usize,
    /// Links beyond which others are closed when discovering; 8.
    pub links_max: usize,
    /// Nodes known beside neighbours; 1,024. A herd that is larger is known in part: nothing is filtered then.
    pub members_max: usize,
    /// Nodes whose messages are followed; 16,384. When there are more, who has been silent longest is forgotten, and who
    /// would be one too many while all speak is not heard, which is counted.
    pub origins_max: usize,
    /// Bytes of messages kept for peers that are behind or come back; 64 MiB. The oldest go first, and are counted for
    /// each link that had not got them.
    pub cache_bytes_max: usize,
    /// How long they are kept at most; 30 s, longer than a link needs to be missed and made anew.
    pub cache_age: Duration,
    /// Size of one message; 8 MiB. A larger one stays on its node, and is told.
    pub update_bytes_max: usize,
    /// Bytes a link has been given and not written yet before more is held back; 256 KiB. Of what is held back nothing is
    /// copied: the link is behind in the cache.
    pub link_window: usize,
    /// How often a peer is asked for a sign of life; 1 s.
    pub ping_every: Duration,
    /// Silence after which a link is suspect, and the herd is told; 2.5 s.
    pub suspect_after: Duration,
    /// Silence after which a link is given up when no other node has lost the peer; 8 s. Three others shorten it to
    /// `down_after_least`. Both grow with the node's own bad health, ninefold at worst.
    pub down_after: Duration,
    /// The same when three other nodes have lost the peer; 4 s.
    pub down_after_least: Duration,
    /// How long a node nobody reaches is suspected before it counts as lost; 5 s.
    pub lost_after: Duration,
    /// How long a lost node is remembered; 24 h.
    pub forget_after: Duration,
    /// How long news for lazy links is gathered; 50 ms.
    pub announce_every: Duration,
    /// How long what was announced may take to come along the tree, at least: 200 ms, and twice the longest round trip
    /// measured.
    pub missing_after: Duration,
    /// How long the next one is given, at least; 100 ms, and one round trip.
    pub missing_again: Duration,
    /// Hops that a lazy link must save before it becomes part of the tree; 1.
    pub hops_saved_min: u16,
    /// How often neighbours tell each other of others when discovering, after ten quick rounds; 10 s.
    pub shuffle_every: Duration,
    /// The same in the first ten rounds; 1 s.
    pub shuffle_first: Duration,
}

/// How messages go from node to node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Flood in a small herd, along trees in a larger one: trees from [`Mode::TREE_FROM`] nodes on, flood again below
    /// [`Mode::FLOOD_BELOW`].
    #[default]
    Auto,
    /// Over all links but the one of arrival. Nothing has to be repaired when a link goes, and each message crosses each
    /// link once or twice.
    Flood,
    /// Along a tree, the other links hearing digests only.
    Tree,
}

impl Mode {
    /// Live nodes from which trees are used. Up to 8 nodes a flood in full mesh costs each node at most 7 copies, less
    /// than the wait for a repair is worth; beyond, copies grow with the links while a tree's do not.
    pub const TREE_FROM: usize = 9;
    /// Live nodes below which the flood comes back: 2 fewer, so that one node that comes and goes does not switch all.
    pub const FLOOD_BELOW: usize = 7;
}

impl Default for SpreadOptions {
    fn default() -> Self {
        Self {
            name: String::new(),
            addresses: Vec::new(),
            mode: Mode::Auto,
            is_filtering: true,
            is_discovering: false,
            links_wanted: 6,
            links_max: 8,
            members_max: 1_024,
            origins_max: 16_384,
            cache_bytes_max: 64 << 20,
            cache_age: Duration::from_secs(30),
            update_bytes_max: 8 << 20,
            link_window: 256 << 10,
            ping_every: Duration::from_secs(1),
            suspect_after: Duration::from_millis(2_500),
            down_after: Duration::from_secs(8),
            down_after_least: Duration::from_secs(4),
            lost_after: Duration::from_secs(5),
            forget_after: Duration::from_secs(24 * 3_600),
            announce_every: Duration::from_millis(50),
            missing_after: Duration::from_millis(200),
            missing_again: Duration::from_millis(100),
            hops_saved_min: 1,
            shuffle_every: Duration::from_secs(10),
            shuffle_first: Duration::from_secs(1),
        }
    }
}
