//! Where to look: three bytes that every key of a kind has, by a bit set of their hashes. A few operations for each
//! byte of text, whatever the number of rules.

use std::sync::LazyLock;

use crate::keys::RULES;

/// What three bytes may be the beginning of, beside an escape and a joint, which their first byte tells. As a number, so
/// that a list of them is in order by itself, prefixes of earlier rules first.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    /// A prefix of a rule, so many bytes before.
    Prefix { rule: u8, prefix: u8, back: u8 },
    /// Three bytes of a prefix in base64, whose first group of four begins so many characters before.
    Base64 { back: u8 },
}

impl Lead {
    const fn code(self) -> u32 {
        match self {
            Self::Prefix { rule, prefix, back } => u32::from_be_bytes([0, rule, prefix, back]),
            Self::Base64 { back } => u32::from_be_bytes([1, 0, 0, back]),
        }
    }

    /// The lead of an entry: its three bytes, then the number.
    #[inline(always)]
    #[expect(clippy::cast_possible_truncation, reason = "the lower half is meant")]
    pub(super) const fn of(entry: u64) -> Self {
        match (entry as u32).to_be_bytes() {
            [0, rule, prefix, back] => Self::Prefix { rule, prefix, back },
            [_, _, _, back] => Self::Base64 { back },
        }
    }
}

/// The bits and what they stand for. Built once: as data it would be a third of what the detector adds to the Wasm.
pub(super) struct Prefilter {
    /// Of prefixes and escapes, and of base64.
    pub(super) plain: Bits,
    base64: Bits,
    /// For 16 bytes at once: which families have a byte with this lower half, and with this upper one, for
    /// each of the three.
    #[cfg_attr(not(target_arch = "wasm32"), allow(dead_code, reason = "for the vectors of Wasm"))]
    pub(super) halves: [u8; 96],
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
        static SHARED: LazyLock<Prefilter> = LazyLock::new(Prefilter::build);
        &SHARED
    }

    fn build() -> Self {
        let bits = || Bits(Box::new([0; 8_192]));
        let mut all = Self { plain: bits(), base64: bits(), halves: [0; 96], leads: Vec::new() };
        let mut rule = 0u8;
        for own in RULES.iter() {
            let mut prefix = 0u8;
            for text in own.prefixes() {
                let (back, three) = rarest(text.as_bytes());
                all.add(three, Lead::Prefix { rule, prefix, back });
                for (skip, back) in ALIGNMENTS {
                    all.add(encoded(three, skip), Lead::Base64 { back });
                }
                prefix = prefix.wrapping_add(1);
            }
            rule = rule.wrapping_add(1);
        }
        for three in [
            [b"%", SEEN, b"0123456789abcdefABCDEF"],
            [b"\\", b"x", SEEN],
            [b"\\", b"u", b"0{"],
            [b"\\", b"/", ANY],
            [b"\\", b"\\", b"/xu\\"],
        ] {
            all.halve(three);
        }
        all.halve([BEFORE_PLUS, b"+", BEHIND_PLUS]);
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
        self.halve([&[a], &[b], &[c]]);
    }

    /// Adds three bytes, or three lists of bytes, to the halves of their family.
    fn halve(&mut self, three: [&[u8]; 3]) {
        let [a, b, c] = three.map(|bytes| bytes.first().copied().unwrap_or_default());
        let family = family([a, b, c]);
        let mut first = 0usize;
        for bytes in three {
            for byte in bytes {
                for at in [byte & 15, 16 | byte >> 4] {
                    if let Some(own) = self.halves.get_mut(first.wrapping_add(usize::from(at))) {
                        *own |= family;
                    }
                }
            }
            first = first.wrapping_add(32);
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
            let first = three & 0xff;
            let escape = first == u32::from(b'%') || first == u32::from(b'\\');
            let joint = first == u32::from(b'+') && may_join(text, at);
            if self.base64.has(three) | self.plain.has(three) != 0 || escape || joint {
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

/// Whether a quote may stand on both sides of the plus at `at`. In minified code hardly any does.
#[inline(never)]
pub(super) fn may_join(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(at.wrapping_add(1));
    before.is_some_and(|byte| BEFORE_PLUS.contains(byte)) && after.is_some_and(|byte| BEHIND_PLUS.contains(byte))
}

/// Letters are the ends of escaped blanks.
const BEFORE_PLUS: &[u8] = b"\"'` \t\r\nnrt";
const BEHIND_PLUS: &[u8] = b"\"'` \t\r\n\\";
/// The first digit of a character that can be seen.
const SEEN: &[u8] = b"234567";
/// All halves of characters that can be seen.
const ANY: &[u8] = b" 1BCTUfgxy:;<=>?";

/// Which leads are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kinds {
    /// Every one.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code, reason = "for what has no vectors"))]
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
        [b'%', _, _] | [b'\\', b'/', _] => 1,
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
    let (mut best, mut least, mut at) = ((0, [0; 3]), u32::MAX, 0u8);
    while let Some([a, b, c, ..]) = prefix.get(usize::from(at)..) {
        let weight = weight(*a).wrapping_add(weight(*b)).wrapping_add(weight(*c));
        if weight < least {
            (best, least) = ((at, [*a, *b, *c]), weight);
        }
        at = at.wrapping_add(1);
    }
    best
}

#[inline(never)]
const fn weight(byte: u8) -> u32 {
    match byte {
        b'a'..=b'z' | b' ' => 4,
        b'-' | b'.' | b':' | b'/' => 2,
        _ => 1,
    }
}

/// Where three bytes may stand in their group of three: bits before their first whole sextet, and how many characters
/// before it the group begins.
const ALIGNMENTS: [(u32, u8); 3] = [(0, 0), (4, 2), (2, 3)];

/// Three characters that the three bytes have in base64.
fn encoded([a, b, c]: [u8; 3], skip: u32) -> [u8; 3] {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let bits = u32::from_be_bytes([0, a, b, c]) << skip;
    let digit = |shift: u32| DIGITS.get((bits >> shift & 63) as usize).copied().unwrap_or(0);
    [digit(18), digit(12), digit(6)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_in_base64_at_each_place() {
        // base64 of "?sk_", "??sk_" and "sk_" as Python's base64 gives it.
        assert_eq!((encoded(*b"sk_", 0), ALIGNMENTS[0].0), (*b"c2t", 0), "c2tf");
        assert_eq!((encoded(*b"sk_", 4), ALIGNMENTS[1]), (*b"NrX", (4, 2)), "P3NrXw==");
        assert_eq!((encoded(*b"sk_", 2), ALIGNMENTS[2]), (*b"za1", (2, 3)), "Pz9za18=");
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
                        Lead::Base64 { .. } => false,
                    });
                });
                assert!(met, "{text}");
            }
        }
    }
}
