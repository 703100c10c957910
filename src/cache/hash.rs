//! What the canonical form is fed into: SHA-256 where the result leaves the gate's memory, and where it does not,
//! `SipHash-2-4` with 128 bits under a key that only this gate has, which takes a sixth of the time. Who does not know
//! the key can neither look for two questions of one hash nor try out a guess.

use sha2::{Digest, Sha256};

use super::canonical::Tag;

/// A hash that is under way.
#[derive(Clone)]
pub(super) enum Hash {
    /// The same in every process.
    Lasting(Sha256),
    /// Of this gate alone.
    Own(Sip),
}

impl Hash {
    /// Feeds a tag and a length or count. Each byte costs SHA-256 time: one byte below 255, else eight behind it.
    pub(super) fn head(&mut self, tag: Tag, length: usize) {
        match self {
            Self::Lasting(hash) => match u8::try_from(length) {
                Ok(short) if short < u8::MAX => hash.update([tag as u8, short]),
                _ => {
                    hash.update([tag as u8, u8::MAX]);
                    hash.update((length as u64).to_le_bytes());
                }
            },
            // No length has more than 56 bits.
            Self::Own(hash) => hash.word((length as u64) << 8 | tag as u64),
        }
    }

    /// Feeds a tag alone.
    pub(super) fn tag(&mut self, tag: Tag) {
        match self {
            Self::Lasting(hash) => hash.update([tag as u8]),
            Self::Own(hash) => hash.word(tag as u64),
        }
    }

    /// Feeds a piece with its tag and length.
    pub(super) fn piece(&mut self, tag: Tag, piece: &str) {
        self.head(tag, piece.len());
        match self {
            Self::Lasting(hash) => hash.update(piece),
            Self::Own(hash) => hash.bytes(piece.as_bytes()),
        }
    }

    pub(super) fn finish(self) -> [u8; 32] {
        match self {
            Self::Lasting(hash) => hash.finalize().into(),
            Self::Own(hash) => hash.finish(),
        }
    }
}

/// `SipHash-2-4-128` (Aumasson and Bernstein), fed by words: a piece's last one is filled up with zeros. Its length goes
/// before it, so no two sequences of pieces are the same words.
#[derive(Clone)]
pub(super) struct Sip {
    state: [u64; 4],
    words: u64,
}

impl Sip {
    pub(super) const fn new([low, high]: [u64; 2]) -> Self {
        let state = [
            low ^ 0x736f_6d65_7073_6575,
            high ^ 0x646f_7261_6e64_6f6d ^ 0xee,
            low ^ 0x6c79_6765_6e65_7261,
            high ^ 0x7465_6462_7974_6573,
        ];
        Self { state, words: 0 }
    }

    fn word(&mut self, word: u64) {
        self.state[3] ^= word;
        self.state = rounds(2, self.state);
        self.state[0] ^= word;
        self.words = self.words.wrapping_add(1);
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        for word in words {
            self.word(u64::from_le_bytes(*word));
        }
        if !rest.is_empty() {
            self.word(rest.iter().rev().fold(0, |word, byte| word << 8 | u64::from(*byte)));
        }
    }

    /// The hash, and as many zeros.
    fn finish(mut self) -> [u8; 32] {
        // The number of bytes modulo 256, in the last word's last byte; no bytes are left over.
        let length = self.words << 3;
        self.word(length << 56);
        let mut bytes = [0; 32];
        for (half, mark) in bytes.as_chunks_mut().0.iter_mut().zip([[0, 0xee], [0xdd, 0]]) {
            self.state[1] ^= mark[0];
            self.state[2] ^= mark[1];
            self.state = rounds(4, self.state);
            *half = self.state.iter().fold(0, |sum, word| sum ^ word).to_le_bytes();
        }
        bytes
    }
}

// Inlined where speed counts: the copies are bytes, which browsers need not load.
#[cfg_attr(feature = "speed", inline(always))]
#[cfg_attr(not(feature = "speed"), inline(never))]
fn rounds(count: u32, [mut a, mut b, mut c, mut d]: [u64; 4]) -> [u64; 4] {
    for _ in 0..count {
        a = a.wrapping_add(b);
        c = c.wrapping_add(d);
        b = b.rotate_left(13) ^ a;
        d = d.rotate_left(16) ^ c;
        a = a.rotate_left(32);
        c = c.wrapping_add(b);
        a = a.wrapping_add(d);
        b = b.rotate_left(17) ^ c;
        d = d.rotate_left(21) ^ a;
        c = c.rotate_left(32);
    }
    [a, b, c, d]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From the authors' `vectors.h` (of no byte), and by a reading of their paper that gives all of its vectors: the key is
    /// 0 to 15, the message 0, 1, 2 … of so many bytes.
    #[test]
    fn as_its_authors_have_it() {
        let of = |length: u8| {
            let mut hash = Sip::new([0x0706_0504_0302_0100, 0x0f0e_0d0c_0b0a_0908]);
            hash.bytes(&(0..length).collect::<Vec<_>>());
            u128::from_le_bytes(*hash.finish().first_chunk().unwrap())
        };
        assert_eq!(of(0), u128::from_be(0xa381_7f04_ba25_a8e6_6df6_7214_c755_0293));
        assert_eq!(of(8), u128::from_be(0x3b62_a9ba_6258_f561_0f83_e264_f314_97b4));
        assert_eq!(of(64), u128::from_be(0x1eaf_077d_c0d4_cd3f_8cad_4d38_3658_a74b));
    }

    #[test]
    fn no_two_sequences_of_pieces_are_the_same() {
        for empty in [Hash::Own(Sip::new([7; 2])), Hash::Lasting(Sha256::new())] {
            let of = |pieces: &[&str]| {
                let mut hash = empty.clone();
                pieces.iter().for_each(|piece| hash.piece(Tag::Text, piece));
                hash.finish()
            };
            // A long piece, and one that holds what stands before the next as well.
            let long = "x".repeat(300);
            let both = [&*long, "s\u{1}a"].concat();
            let mut literal = empty.clone();
            literal.piece(Tag::Literal, &long);
            let mut seen = [
                of(&[]),
                of(&[""]),
                of(&["\0"]),
                of(&["a"]),
                of(&["a\0"]),
                of(&["", "a"]),
                of(&["a", ""]),
                of(&[&long]),
                of(&[&long, "a"]),
                of(&[&both]),
                literal.finish(),
            ];
            seen.sort_unstable();
            assert!(seen.array_windows().all(|[one, next]| one != next));
        }
    }

    /// 255 is what announces eight bytes of length: as a length of its own it would be read for one.
    #[test]
    fn no_length_stands_for_another() {
        let of = |lengths: &[usize]| {
            let mut hash = Hash::Lasting(Sha256::new());
            lengths.iter().for_each(|length| hash.head(Tag::Text, *length));
            hash.finish()
        };
        let tag = Tag::Text as u8;
        // The eight bytes of a long length, read as four short ones.
        let long = u64::from_le_bytes([tag, 0, tag, 1, tag, 2, tag, 3]);
        let Ok(long) = usize::try_from(long) else { return }; // Wasm has no such length
        assert_ne!(of(&[long]), of(&[255, 0, 1, 2, 3]));
    }
}
