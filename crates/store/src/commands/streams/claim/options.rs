//! The arguments of `XCLAIM` and `XAUTOCLAIM`.

use crate::commands::is_word;
use crate::failure::Failure;
use crate::number;
use crate::stream::id::StreamId;

/// Entries `XAUTOCLAIM` claims when nothing is said.
const COUNT: usize = 100;

/// The options of `XCLAIM`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Options {
    /// When the entries are taken as given, in milliseconds since 1970.
    pub(super) delivered_wall_ms: u64,
    /// How often they are taken as given; none for once more.
    pub(super) deliveries: Option<u64>,
    /// `FORCE`: entries that nobody has are claimed too.
    pub(super) is_forced: bool,
    /// `JUSTID`: entries are not answered, and are not given once more.
    pub(super) only_ids: bool,
    /// Moves the group on to here.
    pub(super) last_id: Option<StreamId>,
}

impl Options {
    /// Reads ids up to the first word that is none, then options. A time in the future is now, except from the log.
    pub(super) fn parse(
        words: &[&[u8]],
        wall_ms: u64,
        is_replaying: bool,
    ) -> Result<(Vec<StreamId>, Self), Failure> {
        let ids: Vec<StreamId> = words.iter().map_while(|text| StreamId::parse(text, 0).ok()).collect();
        let mut options = Self {
            delivered_wall_ms: wall_ms,
            deliveries: None,
            is_forced: false,
            only_ids: false,
            last_id: None,
        };
        let mut rest = &words[ids.len()..];
        loop {
            rest = match rest {
                [] => return Ok((ids, options)),
                [word, after @ ..] if is_word(word, "FORCE") => {
                    options.is_forced = true;
                    after
                }
                [word, after @ ..] if is_word(word, "JUSTID") => {
                    options.only_ids = true;
                    after
                }
                [word, value, after @ ..] if is_word(word, "IDLE") => {
                    let idle = u64::try_from(whole_number(value, "IDLE option", "XCLAIM")?).unwrap_or(0);
                    options.delivered_wall_ms = wall_ms.checked_sub(idle).unwrap_or(wall_ms);
                    after
                }
                [word, value, after @ ..] if is_word(word, "TIME") => {
                    let time = u64::try_from(whole_number(value, "TIME option", "XCLAIM")?).ok();
                    let time = time.filter(|&time| is_replaying || time <= wall_ms);
                    options.delivered_wall_ms = time.unwrap_or(wall_ms);
                    after
                }
                [word, value, after @ ..] if is_word(word, "RETRYCOUNT") => {
                    options.deliveries =
                        u64::try_from(whole_number(value, "RETRYCOUNT option", "XCLAIM")?).ok();
                    after
                }
                [word, value, after @ ..] if is_word(word, "LASTID") => {
                    options.last_id = Some(StreamId::parse(value, 0)?);
                    after
                }
                [word, ..] => {
                    let word = String::from_utf8_lossy(word);
                    return Err(Failure::Text(format!("ERR Unrecognized XCLAIM option '{word}'").into()));
                }
            };
        }
    }
}

/// Reads `[COUNT count] [JUSTID]` of `XAUTOCLAIM`: how many, and whether ids are enough.
pub(super) fn automatic(words: &[&[u8]]) -> Result<(usize, bool), Failure> {
    let (mut count, mut only_ids) = (COUNT, false);
    let mut rest = words;
    loop {
        rest = match rest {
            [] => return Ok((count, only_ids)),
            [word, value, after @ ..] if is_word(word, "COUNT") => {
                let positive = number::integer(value).and_then(|count| usize::try_from(count).ok());
                let refused = Failure::text("ERR COUNT must be > 0");
                count = positive.filter(|&count| count > 0).ok_or(refused)?;
                after
            }
            [word, after @ ..] if is_word(word, "JUSTID") => {
                only_ids = true;
                after
            }
            _ => return Err(Failure::Syntax),
        };
    }
}

/// How long an entry has to be idle; a negative time is none.
pub(super) fn idle_min_ms(text: &[u8], command: &str) -> Result<u64, Failure> {
    Ok(u64::try_from(whole_number(text, "min-idle-time", command)?).unwrap_or(0))
}

fn whole_number(text: &[u8], what: &str, command: &str) -> Result<i64, Failure> {
    number::integer(text)
        .ok_or_else(|| Failure::Text(format!("ERR Invalid {what} argument for {command}").into()))
}
