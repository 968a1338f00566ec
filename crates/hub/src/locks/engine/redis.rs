//! Locks at a Redis, best effort: one script for each question, so that nothing comes in between.
//!
//! A lock is the key `remuda:lock:NAME`: its value is the fence and the owner, and it expires with the lease. The counter
//! `remuda:fence` is never behind Redis' clock (milliseconds times 2048), so fences grow even when the data was lost. What
//! stays is what a Redis cannot promise: one that is killed forgets what it had not written, and a replica that takes over
//! may not have the last lock. Then a lock is given away twice, and only fences tell the holders apart.

use std::collections::VecDeque;

use bytes::{Buf as _, BytesMut};
use remuda_model::hub::EngineUrl;
use remuda_store::{EngineAnswer, EngineAsk};
use remuda_wire::resp::{Limits, Value, encode_command, parse_value};

use super::{Said, millis};
use crate::engine::redis_bus::{greeted, hello};

/// The longest answer: numbers, and errors.
const ANSWER_MAX_BYTES: usize = 64 << 10;

/// Key of the lock, of the fences; milliseconds, owner. The fence, or what is left of another's lease, below zero; -1: it
/// does not end.
const ACQUIRE: &[u8] = b"\
local left = redis.call('PTTL', KEYS[1])\n\
if left ~= -2 then return {0, left} end\n\
local time = redis.call('TIME')\n\
local fence = redis.call('INCR', KEYS[2])\n\
local floor = (time[1] * 1000 + math.floor(time[2] / 1000)) * 2048\n\
if fence < floor then fence = floor redis.call('SET', KEYS[2], string.format('%.0f', fence)) end\n\
local text = string.format('%.0f', fence)\n\
redis.call('SET', KEYS[1], text .. ' ' .. ARGV[2], 'PX', ARGV[1])\n\
return {1, text}";
/// Key of the lock; fence, milliseconds. 1: it is that one's still.
const RENEW: &[u8] = b"\
local value = redis.call('GET', KEYS[1])\n\
if value and value:match('^%d+') == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end\n\
return 0";
/// Key of the lock; fence.
const RELEASE: &[u8] = b"\
local value = redis.call('GET', KEYS[1])\n\
if value and value:match('^%d+') == ARGV[1] then return redis.call('DEL', KEYS[1]) end\n\
return 0";
/// The counter of fences.
const FENCE: &[u8] = b"remuda:fence";
/// What keys of locks begin with.
const PREFIX: &[u8] = b"remuda:lock:";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sent {
    Hello,
    Database,
    Ping,
    Acquire,
    Lease,
}

/// The conversation.
#[derive(Debug, Default)]
pub(super) struct Redis {
    sent: VecDeque<Sent>,
}

impl Redis {
    pub(super) fn greet(&mut self, address: &EngineUrl, out: &mut BytesMut) {
        self.sent.clear();
        if address.database != 0 {
            // The greeting is the last, so that all is well when it is answered.
            self.sent.push_back(Sent::Hello);
            self.sent.push_back(Sent::Database);
            hello(address, b"3", out);
            encode_command(&[b"SELECT", address.database.to_string().as_bytes()], out);
            return;
        }
        hello(address, b"3", out);
        self.sent.push_back(Sent::Hello);
    }

    pub(super) fn ping(&mut self, out: &mut BytesMut) {
        encode_command(&[b"PING"], out);
        self.sent.push_back(Sent::Ping);
    }

    pub(super) fn ask(&mut self, ask: &EngineAsk, out: &mut BytesMut) {
        match ask {
            EngineAsk::Acquire { name, ttl, owner } => {
                let ttl = millis(*ttl).to_string();
                encode_command(&[b"EVAL", ACQUIRE, b"2", &key(name), FENCE, ttl.as_bytes(), owner], out);
                self.sent.push_back(Sent::Acquire);
            }
            EngineAsk::Renew { name, fence, ttl } => {
                let (fence, ttl) = (fence.to_string(), millis(*ttl).to_string());
                encode_command(&[b"EVAL", RENEW, b"1", &key(name), fence.as_bytes(), ttl.as_bytes()], out);
                self.sent.push_back(Sent::Lease);
            }
            EngineAsk::Release { name, fence } => {
                encode_command(&[b"EVAL", RELEASE, b"1", &key(name), fence.to_string().as_bytes()], out);
                self.sent.push_back(Sent::Lease);
            }
        }
    }

    pub(super) fn read(&mut self, input: &mut BytesMut) -> Result<Option<Said>, String> {
        loop {
            let parsed = parse_value(input, &Limits::default()).map_err(|error| error.to_string())?;
            let Some((value, length)) = parsed else {
                return if input.len() > ANSWER_MAX_BYTES {
                    Err("its answer is too long".to_owned())
                } else {
                    Ok(None)
                };
            };
            input.advance(length);
            if let Some(said) = self.replied(&value)? {
                return Ok(Some(said));
            }
        }
    }

    fn replied(&mut self, value: &Value) -> Result<Option<Said>, String> {
        let sent = self.sent.pop_front().ok_or("it answered what it was not asked")?;
        if let Value::Error(text) = value {
            let text = String::from_utf8_lossy(text).into_owned();
            return match sent {
                Sent::Hello | Sent::Database => Err(format!("it refuses us: {text}")),
                Sent::Ping => Ok(Some(Said::Alive)),
                Sent::Acquire | Sent::Lease => {
                    let why = format!("the engine of the locks: {text}; nothing has changed").into();
                    Ok(Some(Said::Answer(EngineAnswer::Failed { why })))
                }
            };
        }
        match sent {
            Sent::Hello => {
                greeted(value)?;
                Ok((self.sent.front() != Some(&Sent::Database)).then_some(Said::Greeted))
            }
            Sent::Database => Ok(Some(Said::Greeted)),
            Sent::Ping => Ok(Some(Said::Alive)),
            Sent::Lease => match value {
                Value::Integer(done) => Ok(Some(Said::Answer(EngineAnswer::Done { is_done: *done > 0 }))),
                _ => Err("its answer is no number".to_owned()),
            },
            Sent::Acquire => acquired(value).map(|answer| Some(Said::Answer(answer))),
        }
    }
}

fn key(name: &[u8]) -> Vec<u8> {
    [PREFIX, name].concat()
}

fn acquired(value: &Value) -> Result<EngineAnswer, String> {
    let Value::Array(values) = value else { return Err("its answer is no list".to_owned()) };
    match values.as_slice() {
        [Value::Integer(1), Value::Bulk(fence)] => {
            let fence = std::str::from_utf8(fence).ok().and_then(|fence| fence.parse().ok());
            Ok(EngineAnswer::Acquired { fence: fence.ok_or("its fence is no number")? })
        }
        [Value::Integer(0), Value::Integer(left)] => {
            let left = u64::try_from(*left).ok().map(std::time::Duration::from_millis);
            Ok(EngineAnswer::Taken { left })
        }
        _ => Err("its answer is not that of our script".to_owned()),
    }
}
