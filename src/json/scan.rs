//! Walks along JSON text (RFC 8259) and says where its parts lie. `None` means: this is not JSON.

/// A place in JSON text.
pub(super) struct Scanner<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Scanner<'a> {
    pub(super) const fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    /// One value with all that is inside it, without the whitespace around it. What is open is kept
    /// beside the stack: hostile nesting cannot overflow the stack.
    pub(super) fn value(&mut self) -> Option<&'a str> {
        let first = self.token()?;
        let start = self.at;
        // Most values are texts. In the build for speed only: browsers need not load this.
        if cfg!(feature = "speed") && first == b'"' {
            self.string()?;
            return self.text.get(start..self.at);
        }
        let mut open = Open::default();
        loop {
            match self.token()? {
                b'"' => {
                    self.string()?;
                }
                b'-' | b'0'..=b'9' => self.number()?,
                b't' => self.literal("true")?,
                b'f' => self.literal("false")?,
                b'n' => self.literal("null")?,
                bracket @ (b'[' | b'{') => {
                    self.step();
                    let object = bracket == b'{';
                    if !self.take(closing(object)) {
                        open.push(object);
                        if object {
                            self.key()?;
                        }
                        continue;
                    }
                }
                _ => return None,
            }
            // A value has ended: so may have those that it is in.
            loop {
                let Some(object) = open.last() else { return self.text.get(start..self.at) };
                if self.take(closing(object)) {
                    open.pop();
                    continue;
                }
                self.expect(b',')?;
                if object {
                    self.key()?;
                }
                break;
            }
        }
    }

    /// The name of a field as it is written, without the quotes, and whether it holds no escapes. The colon after it is
    /// behind us.
    pub(super) fn name(&mut self) -> Option<(&'a str, bool)> {
        self.token()?;
        let start = self.at.wrapping_add(1);
        let plain = self.string()?;
        let name = self.text.get(start..self.at.wrapping_sub(1))?;
        self.expect(b':')?;
        Some((name, plain))
    }

    /// Passes a name and the colon after it.
    fn key(&mut self) -> Option<()> {
        self.token()?;
        self.string()?;
        self.expect(b':')
    }

    /// Whether `byte` comes next, after whitespace; if so it is behind us.
    pub(super) fn take(&mut self, byte: u8) -> bool {
        self.token();
        self.eat(byte)
    }

    /// Whether `byte` comes next, after whitespace; it is still ahead.
    pub(super) fn is_next(&mut self, byte: u8) -> bool {
        self.token() == Some(byte)
    }

    /// `byte` and nothing else, after whitespace.
    pub(super) fn expect(&mut self, byte: u8) -> Option<()> {
        self.take(byte).then_some(())
    }

    /// Nothing but whitespace is left.
    pub(super) fn end(&mut self) -> Option<()> {
        self.token().is_none().then_some(())
    }

    /// The next byte that is no whitespace; it is still ahead.
    #[inline(always)]
    fn token(&mut self) -> Option<u8> {
        match self.peek() {
            // Programs write none.
            Some(blank) if blank <= b' ' => self.blank(),
            next => next,
        }
    }

    #[inline(never)]
    fn blank(&mut self) -> Option<u8> {
        while matches!(self.peek(), Some(b' ' | b'\n' | b'\t' | b'\r')) {
            self.step();
        }
        self.peek()
    }

    #[inline(always)]
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    /// Never beyond one past the end: called for bytes that were seen.
    #[inline(always)]
    const fn step(&mut self) {
        self.at = self.at.wrapping_add(1);
    }

    fn eat(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        if next {
            self.step();
        }
        next
    }

    /// Passes a string; whether it holds no escapes.
    fn string(&mut self) -> Option<bool> {
        if !self.eat(b'"') {
            return None;
        }
        let (length, plain) = within(self.text.as_bytes().get(self.at..)?)?;
        self.at = self.at.wrapping_add(length).wrapping_add(1);
        Some(plain)
    }

    /// A second digit after a leading zero is left over, and no part of JSON begins with one there.
    fn number(&mut self) -> Option<()> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.digits()?;
        }
        if self.eat(b'.') {
            self.digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.step();
        }
        (self.at > start).then_some(())
    }

    fn literal(&mut self, word: &str) -> Option<()> {
        word.bytes().all(|byte| self.eat(byte)).then_some(())
    }
}

const fn closing(object: bool) -> u8 {
    if object { b'}' } else { b']' }
}

/// What is open, the innermost last: whether it is an object. 64 levels without the heap.
#[derive(Default)]
struct Open {
    bits: u64,
    depth: u32,
    outer: Vec<u64>,
}

impl Open {
    fn push(&mut self, object: bool) {
        if self.depth == u64::BITS {
            self.outer.push(self.bits);
            self.depth = 0;
        }
        self.bits = self.bits << 1 | u64::from(object);
        self.depth = self.depth.wrapping_add(1);
    }

    const fn last(&self) -> Option<bool> {
        if self.depth == 0 { None } else { Some(self.bits & 1 == 1) }
    }

    fn pop(&mut self) {
        self.bits >>= 1;
        self.depth = self.depth.saturating_sub(1);
        if self.depth == 0
            && let Some(bits) = self.outer.pop()
        {
            (self.bits, self.depth) = (bits, u64::BITS);
        }
    }
}

/// How long the inside of a string is, up to its closing quote. Escapes are looked at only as far as their form
/// goes: whether a pair of surrogates is whole is seen when the text is read.
pub(crate) fn inside(bytes: &[u8]) -> Option<usize> {
    within(bytes).map(|(length, _)| length)
}

/// The same, and whether there are no escapes.
fn within(bytes: &[u8]) -> Option<(usize, bool)> {
    let first = plain(bytes);
    let mut at = first;
    loop {
        match bytes.get(at)? {
            b'"' => return Some((at, at == first)),
            b'\\' => match bytes.get(at.wrapping_add(1))? {
                b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't' => at = at.wrapping_add(2),
                b'u' => {
                    let digits = bytes.get(at.wrapping_add(2)..at.wrapping_add(6))?;
                    if !digits.iter().all(u8::is_ascii_hexdigit) {
                        return None;
                    }
                    at = at.wrapping_add(6);
                }
                _ => return None,
            },
            _ => return None, // a control character
        }
        at = at.wrapping_add(plain(bytes.get(at..)?));
    }
}

/// Which of 16 bytes are quote, backslash or control character.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128", feature = "speed"))]
fn special(block: &[u8; 16]) -> u16 {
    use std::arch::wasm32::{u8x16_bitmask, u8x16_eq, u8x16_lt, u8x16_splat, v128_or};
    let bytes = crate::text::vector(block);
    let quoted = v128_or(u8x16_eq(bytes, u8x16_splat(b'"')), u8x16_eq(bytes, u8x16_splat(b'\\')));
    u8x16_bitmask(v128_or(quoted, u8x16_lt(bytes, u8x16_splat(0x20))))
}

/// How many bytes at the beginning are neither quote, backslash nor control character. Eight at a time, or sixteen:
/// prompts are long, and each is walked along several times.
pub(super) fn plain(bytes: &[u8]) -> usize {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const HIGH: u64 = ONES << 7;
    // The high bit of each byte below `limit`. Bytes after the first such may be wrong, through the borrow.
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES.wrapping_mul(limit)) & !word;
    let equal = |word: u64, byte: u8| below(word ^ ONES.wrapping_mul(byte.into()), 1);
    let mut length = 0usize;
    #[cfg(all(target_arch = "wasm32", target_feature = "simd128", feature = "speed"))]
    let bytes = {
        let (blocks, rest) = bytes.as_chunks::<16>();
        for block in blocks {
            let found = special(block);
            if found != 0 {
                return length.wrapping_add(found.trailing_zeros() as usize);
            }
            length = length.wrapping_add(16);
        }
        rest
    };
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        let word = u64::from_le_bytes(*word);
        let found = (below(word, 0x20) | equal(word, b'"') | equal(word, b'\\')) & HIGH;
        if found != 0 {
            return length.wrapping_add((found.trailing_zeros() / 8) as usize);
        }
        length = length.wrapping_add(8);
    }
    let special = |byte: &u8| matches!(byte, b'"' | b'\\' | 0..0x20);
    length.wrapping_add(rest.iter().position(special).unwrap_or(rest.len()))
}
