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

/// Reads what a [`Writer`] wrote. Every method fails with [`Code::VaultCorrupt`] on input that is too
/// short or out of range; callers for whom that is another error map it.
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads from the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.0.split_first().ok_or(Code::VaultCorrupt)?;
        self.0 = rest;
        Ok(*first)
    }

    /// An unsigned integer. Only the shortest form is read, so equal values have equal bytes.
    pub fn uint(&mut self) -> Result<u64> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (shift == 63 && bits > 1) || (shift > 0 && byte == 0) {
                return Err(Code::VaultCorrupt.into());
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Code::VaultCorrupt.into())
    }

    /// A signed integer.
    pub fn int(&mut self) -> Result<i64> {
        let value = self.uint()?;
        Ok((value >> 1).cast_signed() ^ 0i64.wrapping_sub((value & 1).cast_signed()))
    }

    /// An unsigned integer that fits 32 bits.
    pub fn uint32(&mut self) -> Result<u32> {
        u32::try_from(self.uint()?).map_err(|_| Code::VaultCorrupt.into())
    }

    /// How many items follow; never more than bytes are left.
    pub fn count(&mut self) -> Result<usize> {
        let count = usize::try_from(self.uint()?).map_err(|_| Code::VaultCorrupt)?;
        if count > self.0.len() { Err(Code::VaultCorrupt.into()) } else { Ok(count) }
    }

    /// Bytes with their length.
    pub fn bytes(&mut self) -> Result<&'a [u8]> {
        let length = self.count()?;
        self.raw(length)
    }

    /// Text with its length.
    pub fn text(&mut self) -> Result<&'a str> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Code::VaultCorrupt.into())
    }

    /// Exactly `length` bytes.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Code::VaultCorrupt)?;
        self.0 = rest;
        Ok(taken)
    }

    /// Exactly `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N]> {
        self.raw(N)?.try_into().map_err(|_| Code::VaultCorrupt.into())
    }

    /// Nothing may be left.
    pub fn end(&self) -> Result<()> {
        if self.0.is_empty() { Ok(()) } else { Err(Code::VaultCorrupt.into()) }
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
            prop_assert_eq!(reader.uint().unwrap(), a);
            prop_assert_eq!(reader.int().unwrap(), b);
            prop_assert_eq!(reader.text().unwrap(), text);
            prop_assert_eq!(reader.bytes().unwrap(), bytes);
            prop_assert_eq!(reader.byte().unwrap(), byte);
            prop_assert_eq!(&reader.array::<4>().unwrap(), b"abcd");
            prop_assert!(reader.end().is_ok());
            prop_assert!(reader.byte().is_err());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes: Vec<u8>) {
            let mut reader = Reader::new(&bytes);
            while reader.bytes().is_ok() {
                if reader.end().is_ok() { break; }
            }
            let _ = Reader::new(&bytes).int();
            let _ = Reader::new(&bytes).text();
        }
    }

    #[test]
    fn a_length_beyond_the_input_is_refused() {
        let mut writer = Writer::new();
        writer.uint(u64::MAX);
        assert!(Reader::new(&writer.finish()).bytes().is_err());
        assert!(Reader::new(&[0x80, 0x00]).uint().is_err(), "an overlong form");
        assert!(Reader::new(&[0xff; 11]).uint().is_err());
    }
}
