//! The prefilter for sixteen bytes at once.

use std::arch::wasm32::{
    i8x16_all_true, i8x16_shuffle, u8x16_bitmask, u8x16_ne, u8x16_shr, u8x16_splat, u8x16_swizzle, v128, v128_and,
    v128_any_true,
};

use super::prefilter::{Kinds, Prefilter, SHORTEST, join, may_join};
use crate::keys::{run, run_before, set};
use crate::text::vector;

/// Which bytes are digits of base64, in either alphabet, by their halves.
const DIGITS: [[u8; 16]; 2] =
    [[26, 30, 30, 30, 30, 30, 30, 30, 30, 30, 28, 5, 4, 5, 4, 13], [0, 0, 1, 2, 4, 8, 4, 16, 0, 0, 0, 0, 0, 0, 0, 0]];

/// What passes both halves. Built for size, the compiler would call it.
#[inline(always)]
fn pass(low: v128, high: v128, bytes: v128) -> v128 {
    v128_and(u8x16_swizzle(low, v128_and(bytes, u8x16_splat(15))), u8x16_swizzle(high, u8x16_shr(bytes, 4)))
}

/// Whether sixteen bytes are digits of base64.
#[inline(always)]
fn all_digits(bytes: v128) -> bool {
    let [low, high] = &DIGITS;
    i8x16_all_true(pass(vector(low), vector(high), bytes))
}

/// The plus at `at`, if it is one that may join two strings.
#[inline(never)]
fn joint(text: &[u8], at: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
    if at < to && may_join(text, at) {
        found(at, u32::from(b'+'), Kinds::Plain);
    }
}

impl Prefilter {
    /// Calls `found` with each place between `from` and `to` where three bytes stand that lead somewhere, and with
    /// which kinds of leads are meant there; and with each plus that may join two strings.
    ///
    /// Sixteen bytes at once, by the halves of each byte: a byte passes a family that has both of its halves at that
    /// place. A plus is met with what stands on both sides of it. Base64 is another matter: its threes are too many for
    /// this, but the runs that could hold a key fill sixteen bytes somewhere, and are rare.
    pub(super) fn each(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) {
        let [a, b, c, d, e, f] = self.halves.as_chunks().0 else { return };
        let (a, b, c, d, e, f) = (vector(a), vector(b), vector(c), vector(d), vector(e), vector(f));
        let none = u8x16_splat(0);
        let (mut first, mut second) = (none, none);
        let (mut at, mut run_end) = (from, from);
        let end = to.saturating_add(2).min(text.len());
        let Some(whole) = text.get(from..end) else { return };
        // What stands before the first plus is out of sight.
        if whole.first() == Some(&b'+') {
            joint(text, from, to, found);
        }
        // The last sixteen are filled up.
        let (chunks, rest) = whole.as_chunks::<16>();
        let mut last = [0; 16];
        for (to, from) in last.iter_mut().zip(rest) {
            *to = *from;
        }
        for chunk in chunks.iter().chain([&last]) {
            let bytes = vector(chunk);
            let (now_first, now_second, third) = (pass(a, b, bytes), pass(c, d, bytes), pass(e, f, bytes));
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
                    let place = at.wrapping_add(bits.trailing_zeros() as usize).wrapping_sub(2);
                    if let Some([a, b, c, ..]) = text.get(place..) {
                        let three = join(*a, *b, *c);
                        if *b == b'+' {
                            joint(text, place.wrapping_add(1), to, found);
                        } else if matches!(*a, b'%' | b'\\') || self.plain.has(three) != 0 {
                            found(place, three, Kinds::Plain);
                        }
                    }
                    bits &= bits.wrapping_sub(1);
                }
            }
            if all_digits(bytes) && at >= run_end {
                run_end = self.run(text, at, run_end, to, found);
            }
            (first, second) = (now_first, now_second);
            at = at.wrapping_add(16);
        }
        // A run may begin here that goes on behind the block, and has not filled sixteen bytes yet.
        self.each_base64(text, end.saturating_sub(32).max(from).max(run_end), to, found);
    }

    /// The run of base64 that the sixteen bytes at `at` are part of; gives back its end.
    #[inline(never)]
    fn run(&self, text: &[u8], at: usize, least: usize, to: usize, found: &mut dyn FnMut(usize, u32, Kinds)) -> usize {
        let before = run_before(text.get(least..at).unwrap_or_default(), set::BASE64_ANY, SHORTEST);
        let most = to.saturating_sub(at).saturating_add(SHORTEST);
        let rest = text.get(at..).unwrap_or_default();
        let rest = rest.get(..most).unwrap_or(rest);
        // In an asset the run is as long as the block.
        let whole = rest.as_chunks::<16>().0.iter().take_while(|chunk| all_digits(vector(chunk))).count();
        let whole = whole.wrapping_mul(16);
        let after = whole.wrapping_add(run(rest.get(whole..).unwrap_or_default(), set::BASE64_ANY, 16));
        let end = at.wrapping_add(after);
        if before.wrapping_add(after) >= SHORTEST {
            self.each_base64(text, at.wrapping_sub(before), end.min(to), found);
        }
        end
    }
}
