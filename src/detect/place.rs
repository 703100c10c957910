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
        for byte in text {
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
}
