//! Compact bytes for what the gateway stores and sends between its own parts: snapshots of the ledger,
//! commands to it, sealed cache entries, vault records. Integers are LEB128 varints, texts and byte
//! strings carry their length. A reader never panics and never allocates more than the input holds.

use crate::error::{Code, Result};

/// Writes values one after the other.
#[derive(Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Starts with nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// One byte.
    pub fn byte(&mut self, value: u8) -> &mut Self {
        self.0.push(value);
        self
    }

    /// An unsigned integer.
    pub fn uint(&mut self, mut value: u64) -> &mut Self {
        while value >= 0x80 {
            self.0.push((value & 0x7f) as u8 | 0x80);
            value >>= 7;
        }
        self.0.push((value & 0x7f) as u8);
        self
    }

    /// A signed integer (zigzag).
    pub fn int(&mut self, value: i64) -> &mut Self {
        self.uint(((value << 1) ^ (value >> 63)).cast_unsigned())
    }

    /// Bytes with their length.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.uint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    /// Text with its length.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.bytes(value.as_bytes())
    }

    /// Bytes as they are, for fixed lengths that the reader knows.
    pub fn raw(&mut self, value: &[u8]) -> &mut Self {
        self.0.extend_from_slice(value);
        self
    }

    /// What was written.
    #[must_use]
    pub fn finish(self) -> Vec<u8> {
        self.0
    }
}

/// Reads what a [`Writer`] wrote.
///
/// Input that is too short or out of range makes the reader unsound: it then reads zeros and empty texts,
/// and [`end`](Self::end) fails. So what is read along the way is checked once, at its end, instead of at
/// each field, which would be 3 KB of Wasm; nothing may be done with it before.
pub struct Reader<'a> {
    rest: &'a [u8],
    sound: bool,
}

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, sound: true }
    }

    /// What was read cannot be: nothing follows.
    pub const fn fail(&mut self) {
        (self.rest, self.sound) = (&[], false);
    }

    /// Fails unless `condition` holds.
    pub const fn require(&mut self, condition: bool) {
        if !condition {
            self.fail();
        }
    }

    /// Whether all was well up to here.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.sound
    }

    /// One byte.
    pub fn byte(&mut self) -> u8 {
        match self.rest.split_first() {
            Some((first, rest)) => {
                self.rest = rest;
                *first
            }
            None => {
                self.fail();
                0
            }
        }
    }

    /// True or false, and nothing else.
    pub fn flag(&mut self) -> bool {
        let byte = self.byte();
        self.require(byte < 2);
        byte == 1
    }

    /// An unsigned integer. Only the shortest form is read, so equal values have equal bytes.
    pub fn uint(&mut self) -> u64 {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            let bits = u64::from(byte & 0x7f);
            if (shift == 63 && bits > 1) || (shift > 0 && byte == 0) {
                break;
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return value;
            }
        }
        self.fail();
        0
    }

    /// A signed integer.
    pub fn int(&mut self) -> i64 {
        let value = self.uint();
        (value >> 1).cast_signed() ^ 0i64.wrapping_sub((value & 1).cast_signed())
    }

    /// An unsigned integer that fits 32 bits.
    pub fn uint32(&mut self) -> u32 {
        let value = u32::try_from(self.uint());
        self.require(value.is_ok());
        value.unwrap_or(0)
    }

    /// How many items follow; never more than bytes are left. Whoever reads them stops when the reader is
    /// no longer sound.
    pub fn count(&mut self) -> usize {
        let count = usize::try_from(self.uint()).unwrap_or(usize::MAX);
        if count > self.rest.len() {
            self.fail();
            return 0;
        }
        count
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> &'a [u8] {
        let length = self.count();
        self.raw(length)
    }

    /// Text with its length.
    pub fn text(&mut self) -> &'a str {
        let text = std::str::from_utf8(self.bytes());
        self.require(text.is_ok());
        text.unwrap_or("")
    }

    /// Exactly `length` bytes; none if there are fewer.
    pub fn raw(&mut self, length: usize) -> &'a [u8] {
        let Some((taken, rest)) = self.rest.split_at_checked(length) else {
            self.fail();
            return &[];
        };
        self.rest = rest;
        taken
    }

    /// Exactly `N` bytes; zeros if there are fewer.
    pub fn array<const N: usize>(&mut self) -> [u8; N] {
        self.raw(N).try_into().unwrap_or([0; N])
    }

    /// Whether nothing is left to be read, or nothing can be.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    /// All that came was sound, and nothing is left.
    ///
    /// # Errors
    /// `vault_corrupt`; callers for whom that is another error map it.
    pub fn end(&self) -> Result<()> {
        if self.sound && self.rest.is_empty() { Ok(()) } else { Err(Code::VaultCorrupt.into()) }
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn everything_comes_back(a: u64, b: i64, text: String, bytes: Vec<u8>, byte: u8) {
            let mut writer = Writer::new();
            writer.uint(a).int(b).text(&text).bytes(&bytes).byte(byte).raw(b"abcd");
            let packed = writer.finish();
            let mut reader = Reader::new(&packed);
            prop_assert_eq!(reader.uint(), a);
            prop_assert_eq!(reader.int(), b);
            prop_assert_eq!(reader.text(), text);
            prop_assert_eq!(reader.bytes(), bytes);
            prop_assert_eq!(reader.byte(), byte);
            prop_assert!(reader.end().is_err(), "something is left");
            prop_assert_eq!(&reader.array::<4>(), b"abcd");
            prop_assert!(reader.end().is_ok());
            prop_assert_eq!(reader.byte(), 0);
            prop_assert!(reader.end().is_err(), "more was read than was there");
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.is_sound() && reader.end().is_err() {
                let _ = reader.bytes();
            }
            let _ = Reader::new(&bytes).int();
            let _ = Reader::new(&bytes).text();
        }
    }

    #[test]
    fn a_text_that_is_none_is_refused() {
        let mut writer = Writer::new();
        writer.bytes(b"\xff");
        let packed = writer.finish();
        let mut reader = Reader::new(&packed);
        assert_eq!((reader.text(), reader.is_sound(), reader.end().is_err()), ("", false, true));
    }

    #[test]
    fn a_length_beyond_the_input_is_refused() {
        let mut writer = Writer::new();
        writer.uint(u64::MAX);
        for (bytes, why) in
            [(writer.finish(), "a length"), (vec![0x80, 0x00], "an overlong form"), (vec![0xff; 11], "too many bits")]
        {
            let mut reader = Reader::new(&bytes);
            assert!(reader.bytes().is_empty() && !reader.is_sound() && reader.end().is_err(), "{why}");
        }
    }
}
