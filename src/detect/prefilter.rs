//! Where to look: three bytes that every key of a kind has, by a bit set of their hashes. A few operations for each
//! byte of text, whatever the number of rules.

use std::sync::OnceLock;

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
    bits: Box<[u8; BYTES]>,
    /// For 16 bytes at once: which families have a byte with this half, for each of the three.
    #[cfg_attr(not(target_arch = "wasm32"), expect(dead_code, reason = "for the vectors of Wasm"))]
    halves: [[[u8; 16]; 2]; 3],
    /// By their three bytes.
    leads: Vec<(u32, Lead)>,
}

const BYTES: usize = 8_192;

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
        let mut bits = Box::new([0; BYTES]);
        let mut halves = [[[0; 16]; 2]; 3];
        for (three, lead) in &leads {
            if matches!(lead, Lead::Prefix { .. }) {
                let bytes = three.to_le_bytes();
                for (half, byte) in halves.iter_mut().zip(bytes) {
                    for (half, digit) in half.iter_mut().zip([byte & 15, byte >> 4]) {
                        if let Some(own) = half.get_mut(usize::from(digit)) {
                            *own |= family(bytes);
                        }
                    }
                }
            }
            let slot = slot(*three);
            if let Some(byte) = bits.get_mut((slot >> 3) as usize) {
                *byte |= 1 << (slot & 7);
            }
        }
        Self { bits, halves, leads }
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
            if self.has(three) || (kinds == Kinds::All && three & 0xff == u32::from(b'+') && may_join(text, at)) {
                found(at, three, kinds);
            }
        }
    }

    #[inline(always)]
    fn has(&self, three: u32) -> bool {
        let slot = slot(three);
        self.bits.get((slot >> 3) as usize).copied().unwrap_or(0) >> (slot & 7) & 1 != 0
    }

    /// Sixteen bytes at once, by the halves of each byte: a byte passes a family that has both of its halves at that
    /// place. Gives back where it stopped. Base64 is another matter: its threes are too many for this, but the
    /// runs that could hold a key fill sixteen bytes somewhere, and are rare.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn each_sixteen(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) -> usize {
        use std::arch::wasm32::{
            i8x16_all_true, i8x16_shuffle, u8x16_bitmask, u8x16_eq, u8x16_ne, u8x16_shr, u8x16_splat, u8x16_swizzle,
            v128, v128_and, v128_any_true, v128_or,
        };
        /// Built for size, the compiler would call it.
        #[inline(always)]
        fn pass([low, high]: &[v128; 2], lows: v128, highs: v128) -> v128 {
            v128_and(u8x16_swizzle(*low, lows), u8x16_swizzle(*high, highs))
        }
        let [of_first, of_second, of_third] = self.halves.each_ref().map(|own| own.each_ref().map(vector));
        let digits = [vector(&DIGIT_LOW), vector(&DIGIT_HIGH)];
        let (low, none) = (u8x16_splat(15), u8x16_splat(0));
        let (mut first, mut second) = (none, none);
        let (mut at, mut run_end) = (from, from);
        let end = to.saturating_add(2).min(text.len());
        let Some(whole) = text.get(from..end) else { return from };
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
            let single = |byte| u8x16_eq(bytes, u8x16_splat(byte));
            let escapes = v128_or(v128_or(single(b'\\'), single(b'%')), single(b'+'));
            if v128_any_true(v128_or(all, escapes)) {
                // Bit 2 of an escape is this chunk's first byte, bit 0 of three bytes ends with it.
                let mut bits = u32::from(u8x16_bitmask(u8x16_ne(all, none))) | u32::from(u8x16_bitmask(escapes)) << 2;
                while bits != 0 {
                    let place = at.saturating_add(bits.trailing_zeros() as usize).wrapping_sub(2);
                    if let Some([a, b, c, ..]) = text.get(place..) {
                        let three = join(*a, *b, *c);
                        if self.has(three) || *a == b'+' && may_join(text, place) {
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
        self.each_one(text, left.saturating_sub(SHORTEST).max(from), left, Kinds::Base64, found);
        left
    }

    /// The run of base64 that the sixteen bytes at `at` are part of; gives back its end.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    fn run(&self, text: &[u8], at: usize, least: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) -> usize {
        let inside = |byte: &&u8| crate::keys::sextet(**byte).is_some();
        let before = text.get(least..at).unwrap_or_default().iter().rev().take(SHORTEST).take_while(inside).count();
        let most = to.saturating_sub(at).saturating_add(SHORTEST);
        let rest = text.get(at..).unwrap_or_default();
        let rest = rest.get(..most.min(rest.len())).unwrap_or_default();
        // In an asset the run is as long as the block.
        let whole = rest.as_chunks::<16>().0.iter().take_while(|chunk| all_digits(chunk)).count().saturating_mul(16);
        let after = whole.saturating_add(rest.get(whole..).unwrap_or_default().iter().take_while(inside).count());
        let end = at.saturating_add(after);
        if before.saturating_add(after) >= SHORTEST {
            self.each_one(text, at.saturating_sub(before), end.min(to), Kinds::Base64, found);
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
    // Letters are the ends of escaped blanks.
    matches!(before, Some(b'"' | b'\'' | b'`' | b' ' | b'\t' | b'\r' | b'\n' | b'n' | b'r' | b't'))
        && matches!(after, Some(b'"' | b'\'' | b'`' | b' ' | b'\t' | b'\r' | b'\n' | b'\\'))
}

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

/// Prefixes that are alike share a bit: then few others pass.
const fn family(three: [u8; 4]) -> u8 {
    match three {
        [_, _, b'_', _] => 1,
        [_, _, b'-', _] => 2,
        [_, _, b':', _] => 4,
        [_, _, b'.', _] => 8,
        [b'a'..=b'z', _, b'A'..=b'Z', _] => 16,
        [_, _, b'A'..=b'Z', _] => 32,
        _ => 64,
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
