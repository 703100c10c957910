//! Where a byte stands, in lines, columns and UTF-16 units.

/// Walks through a text and counts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// Bytes.
    pub(super) at: u64,
    /// UTF-16 units.
    pub(super) utf16: u64,
    /// From 1.
    pub(super) line: u64,
    /// The unit that its line begins with.
    line_start: u64,
}

impl Place {
    pub(super) const fn new() -> Self {
        Self { at: 0, utf16: 0, line: 1, line_start: 0 }
    }

    /// From 1, in UTF-16 units.
    pub(super) const fn column(&self) -> u64 {
        self.utf16.saturating_sub(self.line_start).saturating_add(1)
    }

    /// Goes on over `text`.
    pub(super) fn pass(&mut self, text: &[u8]) {
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        let (sixteens, rest) = text.as_chunks::<16>();
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        for chunk in sixteens {
            self.pass_sixteen(chunk);
        }
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        let rest = text;
        for byte in rest {
            // A character counts at its first byte; beyond the first 65,536 it has two units.
            self.utf16 = self.utf16.wrapping_add(match byte {
                0x80..=0xbf => 0,
                0xf0.. => 2,
                _ => 1,
            });
            if *byte == b'\n' {
                self.line = self.line.wrapping_add(1);
                self.line_start = self.utf16;
            }
        }
        self.at = self.at.saturating_add(text.len() as u64);
    }

    /// The same for sixteen bytes at once.
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
    #[inline(always)]
    fn pass_sixteen(&mut self, chunk: &[u8; 16]) {
        use std::arch::wasm32::{i8x16_lt, i8x16_splat, u8x16_bitmask, u8x16_eq, u8x16_ge, u8x16_splat};
        let bytes = crate::text::vector(chunk);
        let later = u32::from(u8x16_bitmask(i8x16_lt(bytes, i8x16_splat(-64))));
        let long = u32::from(u8x16_bitmask(u8x16_ge(bytes, u8x16_splat(0xf0))));
        let ends = u32::from(u8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'\n'))));
        let units = |mask: u32| {
            let one = (!later & mask).count_ones();
            u64::from(one).wrapping_add(u64::from((long & mask).count_ones()))
        };
        if ends != 0 {
            self.line = self.line.wrapping_add(u64::from(ends.count_ones()));
            let upto = u32::MAX >> (ends.leading_zeros() & 31);
            self.line_start = self.utf16.wrapping_add(units(upto));
        }
        self.utf16 = self.utf16.wrapping_add(units(0xffff));
    }
}
