//! Where to look: three bytes that every key of a kind has, by a bit set of their hashes. A few operations for each
//! byte of text, whatever the number of rules.

use std::sync::OnceLock;

use crate::keys::{RULES, is, set};

/// What three bytes may be the beginning of: as a number, so that a list of them is in order by itself, prefixes of
/// earlier rules first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    /// A prefix of a rule, so many bytes before.
    Prefix { rule: u8, prefix: u8, back: u8 },
    /// Three bytes of a prefix in base64, whose first group of four begins so many characters before.
    Base64 { back: u8 },
    /// An escaped character.
    Escape,
}

impl Lead {
    const fn code(self) -> u32 {
        match self {
            Self::Prefix { rule, prefix, back } => u32::from_be_bytes([0, rule, prefix, back]),
            Self::Base64 { back } => u32::from_be_bytes([1, 0, 0, back]),
            Self::Escape => u32::from_be_bytes([2, 0, 0, 0]),
        }
    }

    /// The lead of an entry: its three bytes, then the number.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub(super) const fn of(entry: u64) -> Self {
        match (entry as u32).to_be_bytes() {
            [0, rule, prefix, back] => Self::Prefix { rule, prefix, back },
            [1, _, _, back] => Self::Base64 { back },
            _ => Self::Escape,
        }
    }
}

/// The bits and what they stand for. Built once: as data it would be a third of what the detector adds to the Wasm.
pub(super) struct Prefilter {
    /// Of prefixes and escapes, and of base64.
    pub(super) plain: Bits,
    base64: Bits,
    /// For 16 bytes at once: which families have a byte with this lower and this upper half, for each of the three.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "for the vectors of Wasm"))]
    pub(super) halves: [[u8; 16]; 6],
    /// Three bytes and what they lead to, in their order.
    leads: Vec<u64>,
}

/// A set of three bytes by their hashes, 16 bits each.
pub(super) struct Bits(Box<[u8; 8_192]>);

impl Bits {
    #[inline(always)]
    pub(super) fn has(&self, three: u32) -> u8 {
        let slot = slot(three);
        self.0.get((slot >> 3) as usize).copied().unwrap_or(0) >> (slot & 7) & 1
    }

    fn add(&mut self, three: u32) {
        let slot = slot(three);
        if let Some(byte) = self.0.get_mut((slot >> 3) as usize) {
            *byte |= 1 << (slot & 7);
        }
    }
}

/// A shorter run of base64 holds no key: the shortest has 20 characters.
pub(super) const SHORTEST: usize = 26;

/// The bit of three bytes: 16 bits.
const fn slot(three: u32) -> u32 {
    three.wrapping_mul(0x9E37_79B1) >> 16
}

pub(super) const fn join(a: u8, b: u8, c: u8) -> u32 {
    u32::from_le_bytes([a, b, c, 0])
}

impl Prefilter {
    /// The one for all rules.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<Prefilter> = OnceLock::new();
        SHARED.get_or_init(Self::build)
    }

    fn build() -> Self {
        let bits = || Bits(Box::new([0; 8_192]));
        let mut all = Self { plain: bits(), base64: bits(), halves: [[0; 16]; 6], leads: Vec::new() };
        for (rule, own) in (0..).zip(RULES.iter()) {
            for (prefix, text) in (0..).zip(own.prefixes()) {
                let (back, three) = rarest(text.as_bytes());
                all.add(three, Lead::Prefix { rule, prefix, back });
                for back in 0..3 {
                    let (three, back) = encoded(three, back);
                    all.add(three, Lead::Base64 { back });
                }
            }
        }
        for high in b'2'..=b'7' {
            all.add([b'\\', b'x', high], Lead::Escape);
            for low in b"0123456789abcdefABCDEF" {
                all.add([b'%', high, *low], Lead::Escape);
            }
        }
        all.add(*b"\\u0", Lead::Escape);
        all.add(*b"\\u{", Lead::Escape);
        for byte in 0..=127 {
            for (place, sets) in [(0, BEFORE_PLUS), (2, BEHIND_PLUS)] {
                if is(byte, sets) || (place == 0 && is_escaped(byte)) {
                    all.halve(place, byte, family(*b" + "));
                }
            }
        }
        all.halve(1, b'+', family(*b" + "));
        all
    }

    /// Kept in order by hand: a sort is kilobytes of Wasm, and these are a few hundred.
    fn add(&mut self, three: [u8; 3], lead: Lead) {
        let [a, b, c] = three;
        let bytes = join(a, b, c);
        let entry = u64::from(bytes) << 32 | u64::from(lead.code());
        let at = self.first(entry);
        if self.leads.get(at) != Some(&entry) {
            self.leads.insert(at, entry);
        }
        if let Lead::Base64 { .. } = lead {
            return self.base64.add(bytes);
        }
        self.plain.add(bytes);
        for (place, byte) in three.into_iter().enumerate() {
            self.halve(place, byte, family(three));
        }
    }

    /// Adds a byte, at one of three places, to the halves of its family.
    fn halve(&mut self, place: usize, byte: u8, family: u8) {
        for (half, digit) in self.halves.iter_mut().skip(place.wrapping_mul(2)).zip([byte & 15, byte >> 4]) {
            if let Some(own) = half.get_mut(usize::from(digit)) {
                *own |= family;
            }
        }
    }

    /// Where `entry` stands in the order, or would.
    fn first(&self, entry: u64) -> usize {
        self.leads.partition_point(|own| *own < entry)
    }

    /// The entries of three bytes; usually none, since hashes are short.
    pub(super) fn leads(&self, three: u32) -> &[u64] {
        let of = |three: u32| self.first(u64::from(three) << 32);
        self.leads.get(of(three)..of(three.wrapping_add(1))).unwrap_or_default()
    }

    /// Calls `found` with each place between `from` and `to` where three bytes stand that lead somewhere, and with
    /// which kinds of leads are meant there; and with each plus that may join two strings.
    #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
    pub(super) fn each(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
        threes(text, from, to, |at, three| {
            let leads = self.base64.has(three) | self.plain.has(three) != 0;
            if leads || (three & 0xff == u32::from(b'+') && may_join(text, at)) {
                found(at, three, Kinds::All);
            }
        });
    }

    /// Only base64.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    pub(super) fn each_base64(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
        threes(text, from, to, |at, three| {
            if self.base64.has(three) != 0 {
                found(at, three, Kinds::Base64);
            }
        });
    }
}

#[inline(always)]
fn threes(text: &[u8], from: usize, to: usize, mut each: impl FnMut(usize, u32)) {
    let end = to.saturating_add(2).min(text.len());
    let Some([a, b, rest @ ..]) = text.get(from..end) else { return };
    let (mut three, mut at) = (join(0, *a, *b), from);
    for byte in rest {
        three = three >> 8 | u32::from(*byte) << 16;
        each(at, three);
        at = at.wrapping_add(1);
    }
}

/// Whether a plus is the one at `at` that may join two strings: a quote may stand on both sides of it. In minified code
/// hardly any does.
#[inline(always)]
pub(super) fn may_join(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(at.wrapping_add(1));
    before.is_some_and(|byte| is(*byte, BEFORE_PLUS) || is_escaped(*byte))
        && after.is_some_and(|byte| is(*byte, BEHIND_PLUS))
}

const BEFORE_PLUS: u32 = set::QUOTE | set::BLANK | set::LINE_END;
const BEHIND_PLUS: u32 = BEFORE_PLUS | set::BACKSLASH;

/// The ends of escaped blanks.
const fn is_escaped(byte: u8) -> bool {
    matches!(byte, b'n' | b'r' | b't')
}

/// Which leads are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kinds {
    /// Every one.
    #[cfg_attr(target_arch = "wasm32", expect(dead_code, reason = "for what has no vectors"))]
    All,
    /// All but base64.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "for the vectors of Wasm"))]
    Plain,
    /// Only base64.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "for the vectors of Wasm"))]
    Base64,
}

/// Prefixes that are alike share a bit: then few others pass. Which share one was tried out on published bundles: one
/// place in eighty passes.
const fn family(three: [u8; 3]) -> u8 {
    match three {
        [b'%', _, _] => 1,
        [b'\\', b'x', _] | [_, _, b':'] => 2,
        [b'\\', _, _] | [_, _, b'.'] => 4,
        [_, b'+', _] => 8,
        [_, _, b'_'] => 16,
        [_, _, b'-'] | [b'a'..=b'z', _, b'A'..=b'Z'] => 32,
        [_, _, b'A'..=b'Z'] => 64,
        _ => 128,
    }
}

/// The three bytes of a prefix that texts have least, and where they stand in it.
fn rarest(prefix: &[u8]) -> (u8, [u8; 3]) {
    let mut best = (u32::MAX, 0, [0; 3]);
    for (at, three) in (0..).zip(prefix.windows(3)) {
        let weight = three.iter().fold(0u32, |sum, byte| sum.wrapping_add(weight(*byte)));
        if let [a, b, c] = *three
            && weight < best.0
        {
            best = (weight, at, [a, b, c]);
        }
    }
    (best.1, best.2)
}

const fn weight(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' | b' ' => 4,
        b'-' | b'.' | b':' | b'/' => 2,
        _ => 1,
    }
}

/// Three characters that the three bytes have in base64 if `before` bytes stand before them in their group of three,
/// and how far before those characters the group begins.
fn encoded(three: [u8; 3], before: u8) -> ([u8; 3], u8) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let [a, b, c] = three;
    let bits = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    // The first whole sextet within those 24 bits.
    let (skip, back) = match before {
        0 => (0, 0),
        1 => (4, 2),
        _ => (2, 3),
    };
    let digit = |shift: u32| DIGITS.get((bits << skip >> shift & 63) as usize).copied().unwrap_or(0);
    ([digit(18), digit(12), digit(6)], back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_in_base64_at_each_place() {
        // base64 of "?sk_", "??sk_" and "sk_" as Python's base64 gives it.
        assert_eq!(encoded(*b"sk_", 0), (*b"c2t", 0), "c2tf");
        assert_eq!(encoded(*b"sk_", 1), (*b"NrX", 2), "P3NrXw==");
        assert_eq!(encoded(*b"sk_", 2), (*b"za1", 3), "Pz9za18=");
    }

    #[test]
    fn every_prefix_leads_to_its_rule() {
        for (rule, own) in RULES.iter().enumerate() {
            for (prefix, text) in own.prefixes().enumerate() {
                let mut met = false;
                let shared = Prefilter::shared();
                shared.each(text.as_bytes(), 0, text.len(), &mut |at, three, _| {
                    met |= shared.leads(three).iter().any(|lead| match Lead::of(*lead) {
                        Lead::Prefix { rule: r, prefix: p, back } => {
                            usize::from(r) == rule && usize::from(p) == prefix && usize::from(back) == at
                        }
                        Lead::Base64 { .. } | Lead::Escape => false,
                    });
                });
                assert!(met, "{text}");
            }
        }
    }
}
