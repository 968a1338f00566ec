//! The arguments of `XREAD` and `XREADGROUP`.

use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::id::StreamId;
use crate::stream::log::Log;

const BOTH_ENDS: Failure = Failure::text(
    "ERR The $ ID is meaningless in the context of XREADGROUP: you want to read the history of this consumer by \
     specifying a proper ID, or use the > ID to get new messages. The $ ID would just return an empty result set.",
);
const UNBALANCED: Failure = Failure::text(
    "ERR Unbalanced XREAD list of streams: for each stream key an ID or '$' must be specified.",
);
const ONLY_GROUPS: Failure = Failure::text(
    "ERR The > ID can be specified only when calling XREADGROUP using the GROUP <group> <consumer> option.",
);

/// From where on a stream is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// Behind this id.
    After(StreamId),
    /// `$`: what comes from now on.
    End,
    /// `+`: the last entry.
    Last,
    /// `>`: what no consumer of the group was given.
    New,
}

/// Who reads.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'a> {
    pub(super) name: &'a [u8],
    pub(super) consumer: &'a [u8],
    /// `NOACK`: what it is given is not pending.
    pub(super) needs_no_acknowledgement: bool,
}

/// The arguments, read.
#[derive(Debug)]
pub(super) struct Request<'a> {
    pub(super) keys: &'a [&'a [u8]],
    ids: &'a [&'a [u8]],
    /// Entries of each stream at most.
    pub(super) count: usize,
    /// How long to wait; zero for ever, none for not at all.
    pub(super) block_ms: Option<u64>,
    pub(super) group: Option<Group<'a>>,
}

impl<'a> Request<'a> {
    pub(super) fn parse(command: &'a [&'a [u8]]) -> Result<Self, Failure> {
        let is_group = is_word(command[0], "XREADGROUP");
        let (mut count, mut block_ms, mut group, mut needs_no_acknowledgement) =
            (usize::MAX, None, None, false);
        let mut rest = &command[1..];
        let streams = loop {
            rest = match rest {
                [word, value, after @ ..] if is_word(word, "BLOCK") => {
                    block_ms = Some(timeout(value)?);
                    after
                }
                [word, value, after @ ..] if is_word(word, "COUNT") => {
                    let given = usize::try_from(number::integer_argument(value)?).unwrap_or(0);
                    count = if given == 0 { usize::MAX } else { given };
                    after
                }
                [word, after @ ..] if is_word(word, "STREAMS") && !after.is_empty() => break after,
                [word, name, consumer, after @ ..] if is_word(word, "GROUP") => {
                    refuse_unless(is_group, "GROUP")?;
                    group = Some((*name, *consumer));
                    after
                }
                [word, after @ ..] if is_word(word, "NOACK") => {
                    refuse_unless(is_group, "NOACK")?;
                    needs_no_acknowledgement = true;
                    after
                }
                _ => return Err(Failure::Syntax),
            };
        };
        if streams.len() % 2 == 1 {
            return Err(UNBALANCED);
        }
        if is_group && group.is_none() {
            return Err(Failure::text("ERR Missing GROUP option for XREADGROUP"));
        }
        let (keys, ids) = streams.split_at(streams.len() / 2);
        let group = group.map(|(name, consumer)| Group { name, consumer, needs_no_acknowledgement });
        Ok(Self { keys, ids, count, block_ms, group })
    }

    /// The streams and where to read them, the latter yet to be read by [`Position::parse`]: what is wrong with a
    /// stream is said before what is wrong with its id.
    pub(super) fn streams(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        self.keys.iter().copied().zip(self.ids.iter().copied())
    }

    pub(super) fn is_blocking(&self) -> bool {
        self.block_ms.is_some()
    }
}

impl Position {
    pub(super) fn parse(text: &[u8], is_group: bool) -> Result<Self, Failure> {
        match text {
            b"$" if is_group => Err(BOTH_ENDS),
            b"$" => Ok(Self::End),
            b">" if is_group => Ok(Self::New),
            b">" => Err(ONLY_GROUPS),
            b"+" if !is_group => Ok(Self::Last),
            text => StreamId::parse(text, 0).map(Self::After),
        }
    }

    /// The id behind which to read; none of a stream that does not exist.
    pub(super) fn after(self, log: Option<&Log>) -> StreamId {
        let last_id = log.map_or(StreamId::MIN, |log| log.last_id);
        match self {
            Self::After(id) => id,
            Self::End | Self::New => last_id,
            Self::Last => {
                let last = log.and_then(|log| log.entries().last());
                last.and_then(|last| last.id.previous()).unwrap_or(last_id)
            }
        }
    }
}

fn timeout(text: &[u8]) -> Result<u64, Failure> {
    let ms = number::integer(text).ok_or(Failure::text("ERR timeout is not an integer or out of range"))?;
    u64::try_from(ms).map_err(|_negative| Failure::text("ERR timeout is negative"))
}

fn refuse_unless(is_group: bool, option: &str) -> Result<(), Failure> {
    if is_group {
        return Ok(());
    }
    let text = format!("ERR The {option} option is only supported by XREADGROUP. You called XREAD instead.");
    Err(Failure::Text(text.into()))
}
