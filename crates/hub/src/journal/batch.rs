//! Records on their way to the disk, in the order in which they were appended.
//!
//! Each chunk begins with a `SELECT`, so that it means the same whatever was lost before it.

use remuda_wire::resp::encode_command;

/// From this size on a chunk ends with the next record. What one batch holds is what one damaged byte can cost.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;

/// Commands that are gathered; the database in force is known.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    bytes: Vec<u8>,
    selected: Option<u32>,
}

impl Gathering {
    /// Bytes gathered.
    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Adds commands that are encoded already and change no database.
    pub(super) fn raw(&mut self, database: u32, commands: &[u8]) {
        self.select(database);
        self.bytes.extend_from_slice(commands);
    }

    /// Adds one command.
    pub(super) fn command(&mut self, database: u32, arguments: &[&[u8]]) {
        self.select(database);
        encode_command(arguments, &mut self.bytes);
    }

    /// Hands over what was gathered, and goes on in `empty`.
    pub(super) fn take(&mut self, empty: Vec<u8>) -> Vec<u8> {
        self.selected = None;
        std::mem::replace(&mut self.bytes, empty)
    }

    fn select(&mut self, database: u32) {
        if self.selected != Some(database) {
            encode_command(&[b"SELECT", database.to_string().as_bytes()], &mut self.bytes);
            self.selected = Some(database);
        }
    }
}
