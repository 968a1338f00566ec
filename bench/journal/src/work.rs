//! Keys and values: the same for everybody, in no order, and of bytes that cannot be compressed.

/// How many keys there are.
pub(crate) const KEYS: u32 = 200_000;
/// Bytes of a key.
pub(crate) const KEY_BYTES: usize = 16;
/// Bytes of a value.
pub(crate) const VALUE_BYTES: usize = 100;
/// Odd, and prime to [`KEYS`]: its multiples visit every key once, far from the one before.
const STRIDE: u32 = 123_457;

/// A key and its value; the value says which key it belongs to.
pub(crate) type Pair = ([u8; KEY_BYTES], [u8; VALUE_BYTES]);

/// A source of pairs that gives the same ones in every run.
#[derive(Debug)]
pub(crate) struct Work {
    state: u64,
}

impl Work {
    pub(crate) fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// A pair for the key that comes at `place` of the loading, which each of `0..KEYS` does once.
    pub(crate) fn at(&mut self, place: u32) -> Pair {
        self.pair(key_at(place))
    }

    /// A pair for any of the keys.
    pub(crate) fn any(&mut self) -> Pair {
        let number = u32::try_from(self.next() % u64::from(KEYS)).expect("it is less than KEYS");
        self.pair(number)
    }

    fn pair(&mut self, number: u32) -> Pair {
        let mut value = [0; VALUE_BYTES];
        for piece in value.chunks_mut(8) {
            piece.copy_from_slice(&self.next().to_le_bytes()[..piece.len()]);
        }
        value[..4].copy_from_slice(&number.to_le_bytes());
        (key(number), value)
    }

    /// SplitMix64, by Sebastiano Vigna, in the public domain.
    fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.state ^ (self.state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }
}

/// The number of the key at `place`.
pub(crate) fn key_at(place: u32) -> u32 {
    let number = u64::from(place) * u64::from(STRIDE) % u64::from(KEYS);
    u32::try_from(number).expect("it is less than KEYS")
}

/// The name of a key.
pub(crate) fn key(number: u32) -> [u8; KEY_BYTES] {
    let mut key = *b"key:000000000000";
    let mut rest = number;
    for digit in key.iter_mut().rev() {
        if rest == 0 {
            break;
        }
        *digit = b'0' + u8::try_from(rest % 10).expect("a digit");
        rest /= 10;
    }
    key
}

/// Whether `value` was written for the key.
pub(crate) fn belongs(number: u32, value: &[u8]) -> bool {
    value.len() == VALUE_BYTES && value.starts_with(&number.to_le_bytes())
}
