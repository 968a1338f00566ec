//! Locks written down and read again.

use std::time::Duration;

use remuda_model::Tick;
use remuda_store::Held;

use super::HandoverError;
use super::book::{Pages, Record};
use crate::core::Core;
use crate::locks::PassedLocks;
use crate::table::Key;

/// Writes down what is held, and who waits.
pub(super) fn write(core: &Core, pages: &mut Pages) {
    let PassedLocks { last_fence, held, waiting } = core.locks.pass();
    pages.add_numbers("fence", &[last_fence.unwrap_or_default()]);
    for (name, held) in held {
        let numbers = [
            held.fence,
            u64::try_from(held.ttl.as_millis()).unwrap_or(u64::MAX),
            held.until.0,
            u64::from(held.session.is_some()),
            held.session.unwrap_or_default(),
        ]
        .map(|number| number.to_string());
        let mut fields: Vec<&[u8]> = vec![b"lock", &name, &held.owner];
        fields.extend(numbers.iter().map(String::as_bytes));
        pages.add(&fields);
    }
    for key in waiting {
        pages.add_numbers("wants lock", &[key.number()]);
    }
}

/// Takes in a record, if it is about locks.
pub(super) fn read(record: &Record, locks: &mut PassedLocks) -> Result<(), HandoverError> {
    match record.what() {
        b"fence" => locks.last_fence = Some(record.number(1)?),
        b"lock" => {
            let session = record.flag(6)?.then(|| record.number(7)).transpose()?;
            let ttl = Duration::from_millis(record.number(4)?);
            let held = Held::new(record.number(3)?, record.field(2)?, session, ttl, Tick(record.number(5)?));
            locks.held.push((record.field(1)?.to_vec(), held));
        }
        b"wants lock" => locks.waiting.push(Key::from_number(record.number(1)?)),
        _ => {}
    }
    Ok(())
}
