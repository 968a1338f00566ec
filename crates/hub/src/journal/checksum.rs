//! CRC-32 of what is written (IEEE 802.3, as zlib, PNG and Ethernet have it).
//!
//! It finds every damage of up to 32 neighbouring bits, and misses one in four thousand million of the others: enough
//! against disks. It is no signature; what clients might forge is guarded by the mark of the journal. Eight bytes a
//! step by eight tables: about 2 GB/s without a special instruction, well above what a disk takes.

const POLYNOMIAL: u32 = 0xedb8_8320;

static TABLES: [[u32; 256]; 8] = tables();

/// A checksum on its way.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checksum {
    state: u32,
}

impl Checksum {
    pub(super) fn new() -> Self {
        Self { state: u32::MAX }
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        let mut state = self.state;
        let (eights, rest) = bytes.as_chunks::<8>();
        for [a, b, c, d, e, f, g, h] in eights {
            let [low, second, third, high] = (state ^ u32::from_le_bytes([*a, *b, *c, *d])).to_le_bytes();
            state = TABLES[7][usize::from(low)]
                ^ TABLES[6][usize::from(second)]
                ^ TABLES[5][usize::from(third)]
                ^ TABLES[4][usize::from(high)]
                ^ TABLES[3][usize::from(*e)]
                ^ TABLES[2][usize::from(*f)]
                ^ TABLES[1][usize::from(*g)]
                ^ TABLES[0][usize::from(*h)];
        }
        for byte in rest {
            let [low, ..] = state.to_le_bytes();
            state = TABLES[0][usize::from(low ^ byte)] ^ (state >> 8);
        }
        self.state = state;
    }

    pub(super) fn value(self) -> u32 {
        !self.state
    }
}

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut index = 0;
    let mut byte = 0_u32;
    while index < 256 {
        let mut state = byte;
        let mut bit = 0;
        while bit < 8 {
            state = if state & 1 == 1 { (state >> 1) ^ POLYNOMIAL } else { state >> 1 };
            bit += 1;
        }
        tables[0][index] = state;
        index += 1;
        byte += 1;
    }
    let mut table = 1;
    while table < 8 {
        index = 0;
        while index < 256 {
            let before: u32 = tables[table - 1][index];
            tables[table][index] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            index += 1;
        }
        table += 1;
    }
    tables
}

#[cfg(test)]
mod tests;
