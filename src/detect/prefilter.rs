//! Where to look: three bytes that every key of a kind has, by a bit set of their hashes. A few operations for each
//! byte of text, whatever the number of rules.

use std::sync::OnceLock;

#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
use super::escape::run_before;
use crate::keys::RULES;

/// What three bytes may be the beginning of.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Lead {
    /// A prefix of a rule, so many bytes before.
    Prefix { rule: u8, prefix: u8, back: u8 },
    /// Three bytes of a prefix in base64, whose first group of four begins so many characters before.
    Base64 { back: u8 },
    /// An escaped character.
    Escape,
    /// A plus, which may join two strings.
    Joint,
}

/// The bits and what they stand for. Built once: as data it would be a third of what the detector adds to the Wasm.
pub(super) struct Prefilter {
    /// Of prefixes and escapes, and of base64.
    plain: Bits,
    base64: Bits,
    /// For 16 bytes at once: which families have a byte with this half, for each of the three.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the vectors of Wasm"))]
    halves: [[[u8; 16]; 2]; 3],
    /// By their three bytes.
    leads: Vec<(u32, Lead)>,
}

/// A set of three bytes by their hashes, 16 bits each.
struct Bits(Box<[u8; 8_192]>);

impl Bits {
    #[inline(always)]
    fn has(&self, three: u32) -> u8 {
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

/// Which bytes are digits of base64, in either alphabet, by their halves.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
const DIGIT_LOW: [u8; 16] = [26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 5, 4, 5, 4, 13];
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
const DIGIT_HIGH: [u8; 16] = [0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0];

/// Whether sixteen bytes are digits of base64.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
fn all_digits(chunk: &[u8; 16]) -> bool {
    use std::arch::wasm32::{i8x16_all_true, u8x16_shr, u8x16_splat, u8x16_swizzle, v128_and};
    let bytes = vector(chunk);
    let (lows, highs) = (v128_and(bytes, u8x16_splat(15)), u8x16_shr(bytes, 4));
    i8x16_all_true(v128_and(u8x16_swizzle(vector(&DIGIT_LOW), lows), u8x16_swizzle(vector(&DIGIT_HIGH), highs)))
}

/// Sixteen bytes as a vector.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
#[inline(always)]
pub(super) fn vector(bytes: &[u8; 16]) -> std::arch::wasm32::v128 {
    let half = |half: Option<&[u8; 8]>| half.map_or(0, |half| u64::from_le_bytes(*half));
    std::arch::wasm32::u64x2(half(bytes.first_chunk()), half(bytes.last_chunk()))
}

/// The bit of three bytes: 16 bits.
const fn slot(three: u32) -> u32 {
    three.wrapping_mul(0x9E37_79B1) >> 16
}

const fn join(a: u8, b: u8, c: u8) -> u32 {
    a as u32 | (b as u32) << 8 | (c as u32) << 16
}

impl Prefilter {
    /// The one for all rules.
    pub(super) fn shared() -> &'static Self {
        static SHARED: OnceLock<Prefilter> = OnceLock::new();
        SHARED.get_or_init(Self::build)
    }

    fn build() -> Self {
        // Kept in order by hand: a sort is kilobytes of Wasm, and these are a few hundred.
        let mut leads: Vec<(u32, Lead)> = Vec::new();
        let mut add = |three: u32, lead: Lead| {
            let at = leads.partition_point(|(own, other)| (*own, rank(*other)) < (three, rank(lead)));
            if leads.get(at) != Some(&(three, lead)) {
                leads.insert(at, (three, lead));
            }
        };
        for (rule, own) in RULES.iter().enumerate() {
            for (prefix, text) in own.prefixes.iter().enumerate() {
                let small = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
                let (back, three) = rarest(text.as_bytes());
                let lead = Lead::Prefix { rule: small(rule), prefix: small(prefix), back: small(back) };
                add(join(three[0], three[1], three[2]), lead);
                for back in 0..3 {
                    let (three, back) = encoded(three, back);
                    add(three, Lead::Base64 { back });
                }
            }
        }
        for high in 2..8 {
            add(join(b'\\', b'x', b'0'.wrapping_add(high)), Lead::Escape);
            for low in b"0123456789abcdefABCDEF" {
                add(join(b'%', b'0'.wrapping_add(high), *low), Lead::Escape);
            }
        }
        add(join(b'\\', b'u', b'0'), Lead::Escape);
        add(join(b'\\', b'u', b'{'), Lead::Escape);
        let bits = || Bits(Box::new([0; 8_192]));
        let (mut plain, mut base64, mut halves) = (bits(), bits(), [[[0; 16]; 2]; 3]);
        for (three, lead) in &leads {
            if matches!(lead, Lead::Base64 { .. }) {
                base64.add(*three);
                continue;
            }
            plain.add(*three);
            let [a, b, c, _] = three.to_le_bytes();
            add_to_family(&mut halves, &[&[a], &[b], &[c]]);
        }
        add_to_family(&mut halves, &[BEFORE_PLUS, b"+", BEHIND_PLUS]);
        Self { plain, base64, halves, leads }
    }

    /// Calls `found` with each place between `from` and `to` where three bytes stand that lead somewhere, and with
    /// which kinds of leads are meant there.
    pub(super) fn each(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let from = self.each_sixteen(text, from, to, found);
        self.each_one(text, from, to, Kinds::All, found);
    }

    /// One byte after the other.
    fn each_one(&self, text: &[u8], from: usize, to: usize, kinds: Kinds, found: &mut dyn FnMut(usize, u32, Kinds)) {
        let end = to.saturating_add(2).min(text.len());
        let Some([a, b, rest @ ..]) = text.get(from..end) else { return };
        let mut three = join(0, *a, *b);
        for (index, byte) in rest.iter().enumerate() {
            three = three >> 8 | u32::from(*byte) << 16;
            let at = from.saturating_add(index);
            let has = self.base64.has(three) | if kinds == Kinds::All { self.plain.has(three) } else { 0 };
            if has != 0 || (kinds == Kinds::All && three & 0xff == u32::from(b'+') && may_join(text, at)) {
                found(at, three, kinds);
            }
        }
    }

    /// Only base64, four bytes at once.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn each_four(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
        let end = to.saturating_add(2).min(text.len());
        let Some([a, b, rest @ ..]) = text.get(from..end) else { return };
        let (mut six, mut at) = (u64::from(join(*a, *b, 0)), from);
        let fours = rest.as_chunks::<4>().0;
        for four in fours {
            six |= u64::from(u32::from_le_bytes(*four)) << 16;
            #[expect(clippy::cast_possible_truncation, reason = "three bytes are meant")]
            let three = |shift: u32| (six >> shift) as u32 & 0xff_ffff;
            let all = [three(0), three(8), three(16), three(24)];
            let [one, two, other, last] = all;
            if self.base64.has(one) | self.base64.has(two) | self.base64.has(other) | self.base64.has(last) != 0 {
                for (index, three) in all.into_iter().enumerate() {
                    if self.base64.has(three) != 0 {
                        found(at.saturating_add(index), three, Kinds::Base64);
                    }
                }
            }
            (six, at) = (six >> 32, at.saturating_add(4));
        }
        self.each_one(text, at, to, Kinds::Base64, found);
    }

    /// Sixteen bytes at once, by the halves of each byte: a byte passes a family that has both of its halves at that
    /// place. A plus is met with what stands on both sides of it. Gives back where it stopped. Base64 is another matter: its threes are too many for this, but the
    /// runs that could hold a key fill sixteen bytes somewhere, and are rare.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn each_sixteen(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) -> usize {
        use std::arch::wasm32::{
            i8x16_all_true, i8x16_shuffle, u8x16_bitmask, u8x16_ne, u8x16_shr, u8x16_splat, u8x16_swizzle, v128,
            v128_and, v128_any_true,
        };
        /// Built for size, the compiler would call it.
        #[inline(always)]
        fn pass([low, high]: &[v128; 2], lows: v128, highs: v128) -> v128 {
            v128_and(u8x16_swizzle(*low, lows), u8x16_swizzle(*high, highs))
        }
        let [[a, b], [c, d], [e, f]] = &self.halves;
        let (of_first, of_second, of_third) = ([vector(a), vector(b)], [vector(c), vector(d)], [vector(e), vector(f)]);
        let digits = [vector(&DIGIT_LOW), vector(&DIGIT_HIGH)];
        let (low, none) = (u8x16_splat(15), u8x16_splat(0));
        let (mut first, mut second) = (none, none);
        let (mut at, mut run_end) = (from, from);
        let end = to.saturating_add(2).min(text.len());
        let Some(whole) = text.get(from..end) else { return from };
        let joint = |at: usize, found: &mut dyn FnMut(usize, u32, Kinds)| {
            if at < to && may_join(text, at) {
                found(at, u32::from(b'+'), Kinds::Plain);
            }
        };
        // What stands before the first plus is out of sight.
        if whole.len() >= 16 && whole.first() == Some(&b'+') {
            joint(from, found);
        }
        for chunk in whole.as_chunks::<16>().0 {
            let bytes = vector(chunk);
            let (lows, highs) = (v128_and(bytes, low), u8x16_shr(bytes, 4));
            let (now_first, now_second) = (pass(&of_first, lows, highs), pass(&of_second, lows, highs));
            let third = pass(&of_third, lows, highs);
            // What passed as the first is two bytes before the third.
            let before_first =
                i8x16_shuffle::<14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29>(first, now_first);
            let before_second =
                i8x16_shuffle::<15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30>(second, now_second);
            let all = v128_and(v128_and(before_first, before_second), third);
            if v128_any_true(all) {
                // Bit 0 is of three bytes that end with this chunk's first.
                let mut bits = u8x16_bitmask(u8x16_ne(all, none));
                while bits != 0 {
                    let place = at.saturating_add(bits.trailing_zeros() as usize).wrapping_sub(2);
                    if let Some([a, b, c, ..]) = text.get(place..) {
                        let three = join(*a, *b, *c);
                        if *b == b'+' {
                            joint(place.saturating_add(1), found);
                        } else if self.plain.has(three) != 0 {
                            found(place, three, Kinds::Plain);
                        }
                    }
                    bits &= bits.wrapping_sub(1);
                }
            }
            if i8x16_all_true(pass(&digits, lows, highs)) && at >= run_end {
                run_end = self.run(text, at, run_end, to, found);
            }
            (first, second) = (now_first, now_second);
            at = at.saturating_add(16);
        }
        // The last threes may reach into what is left, and a run may begin here that goes on behind the block.
        let left = at.saturating_sub(2).max(from);
        self.each_four(text, left.saturating_sub(SHORTEST).max(from), left, found);
        left
    }

    /// The run of base64 that the sixteen bytes at `at` are part of; gives back its end.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn run(&self, text: &[u8], at: usize, least: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) -> usize {
        let inside = |byte: &&u8| crate::keys::sextet(**byte).is_some();
        let before = text.get(least..at).unwrap_or_default();
        let before = run_before(before, SHORTEST, |byte| crate::keys::sextet(byte).is_some());
        let most = to.saturating_sub(at).saturating_add(SHORTEST);
        let rest = text.get(at..).unwrap_or_default();
        let rest = rest.get(..most.min(rest.len())).unwrap_or_default();
        // In an asset the run is as long as the block.
        let whole = rest.as_chunks::<16>().0.iter().take_while(|chunk| all_digits(chunk)).count().saturating_mul(16);
        let after = whole.saturating_add(rest.get(whole..).unwrap_or_default().iter().take_while(inside).count());
        let end = at.saturating_add(after);
        if before.saturating_add(after) >= SHORTEST {
            self.each_four(text, at.saturating_sub(before), end.min(to), found);
        }
        end
    }

    /// What three bytes lead to; usually nothing, since hashes are short.
    pub(super) fn leads(&self, three: u32) -> impl Iterator<Item = Lead> + '_ {
        let joint = (three & 0xff == u32::from(b'+')).then_some(Lead::Joint);
        let first = self.leads.partition_point(|(own, _)| *own < three);
        let rest = self.leads.get(first..).unwrap_or_default();
        let own = rest.iter().take_while(move |(own, _)| *own == three).map(|(_, lead)| *lead);
        own.chain(joint)
    }
}

/// Whether a quote may stand on both sides of the plus at `at`. In minified code hardly any does.
#[inline(always)]
fn may_join(text: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at));
    let after = text.get(at.saturating_add(1));
    before.is_some_and(|byte| BEFORE_PLUS.contains(byte)) && after.is_some_and(|byte| BEHIND_PLUS.contains(byte))
}

/// Letters are the ends of escaped blanks.
const BEFORE_PLUS: &[u8] = b"\"'` \t\r\nnrt";
const BEHIND_PLUS: &[u8] = b"\"'` \t\r\n\\";

/// Which leads are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kinds {
    /// Every one.
    All,
    /// All but base64.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the vectors of Wasm"))]
    Plain,
    /// Only base64.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the vectors of Wasm"))]
    Base64,
}

impl Kinds {
    /// Whether this lead is one of them.
    pub(super) const fn include(self, lead: Lead) -> bool {
        match self {
            Self::All => true,
            Self::Plain => !matches!(lead, Lead::Base64 { .. }),
            Self::Base64 => matches!(lead, Lead::Base64 { .. }),
        }
    }
}

/// Adds three bytes, or three lists of bytes, to the halves of their family.
fn add_to_family(halves: &mut [[[u8; 16]; 2]; 3], three: &[&[u8]; 3]) {
    let family = family(three.map(|bytes| bytes.first().copied().unwrap_or(0)));
    for (half, bytes) in halves.iter_mut().zip(three) {
        for byte in *bytes {
            for (half, digit) in half.iter_mut().zip([byte & 15, byte >> 4]) {
                if let Some(own) = half.get_mut(usize::from(digit)) {
                    *own |= family;
                }
            }
        }
    }
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

const fn rank(lead: Lead) -> u32 {
    match lead {
        Lead::Prefix { rule, prefix, .. } => (rule as u32) << 8 | prefix as u32,
        Lead::Base64 { back } => 1 << 16 | back as u32,
        Lead::Escape | Lead::Joint => 1 << 17,
    }
}

/// The three bytes of a prefix that texts have least, and where they stand in it.
fn rarest(prefix: &[u8]) -> (usize, [u8; 3]) {
    let weight = |byte: &u8| match byte {
        b'a'..=b'z' | b' ' => 4,
        b'-' | b'.' | b':' | b'/' => 2,
        _ => 1u32,
    };
    let threes = prefix.windows(3).enumerate();
    let best = threes.min_by_key(|(_, three)| three.iter().map(weight).sum::<u32>());
    best.map_or((0, [0; 3]), |(at, three)| match *three {
        [a, b, c] => (at, [a, b, c]),
        _ => (at, [0; 3]),
    })
}

/// Three characters that the three bytes have in base64 if `before` bytes stand before them in their group of three,
/// and how far before those characters the group begins.
fn encoded(three: [u8; 3], before: u32) -> (u32, u8) {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let [a, b, c] = three;
    let bits = u32::from(a) << 16 | u32::from(b) << 8 | u32::from(c);
    // The first whole sextet within those 24 bits.
    let skip = match before {
        0 => 0,
        1 => 4,
        _ => 2,
    };
    let digit = |index: u32| {
        let shift = 18u32.wrapping_sub(skip).wrapping_sub(index.wrapping_mul(6));
        DIGITS.get((bits >> (shift & 31) & 63) as usize).copied().unwrap_or(0)
    };
    let back = match before {
        0 => 0,
        1 => 2,
        _ => 3,
    };
    (join(digit(0), digit(1), digit(2)), back)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_bytes_in_base64_at_each_place() {
        // base64 of "?sk_", "??sk_" and "sk_" as Python's base64 gives it.
        assert_eq!(encoded(*b"sk_", 0), (join(b'c', b'2', b't'), 0), "c2tf");
        assert_eq!(encoded(*b"sk_", 1), (join(b'N', b'r', b'X'), 2), "P3NrXw==");
        assert_eq!(encoded(*b"sk_", 2), (join(b'z', b'a', b'1'), 3), "Pz9za18=");
    }

    #[test]
    fn every_prefix_leads_to_its_rule() {
        for (rule, own) in RULES.iter().enumerate() {
            for (prefix, text) in own.prefixes.iter().enumerate() {
                let mut met = false;
                let shared = Prefilter::shared();
                shared.each(text.as_bytes(), 0, text.len(), &mut |at, three, _| {
                    met |= shared.leads(three).any(|lead| match lead {
                        Lead::Prefix { rule: r, prefix: p, back } => {
                            usize::from(r) == rule && usize::from(p) == prefix && usize::from(back) == at
                        }
                        Lead::Base64 { .. } | Lead::Escape | Lead::Joint => false,
                    });
                });
                assert!(met, "{text}");
            }
        }
    }
}
