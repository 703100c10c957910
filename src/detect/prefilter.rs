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
    /// An escaped character, or the joint of two strings.
    Escape,
}

/// The bits and what they stand for. Built once: as data it would be a third of what the detector adds to the Wasm.
pub(super) struct Prefilter {
    bits: Box<[u8; BYTES]>,
    /// By their three bytes.
    leads: Vec<(u32, Lead)>,
}

const BYTES: usize = 8_192;

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
        let mut leads = Vec::new();
        for (rule, own) in RULES.iter().enumerate() {
            for (prefix, text) in own.prefixes.iter().enumerate() {
                let small = |number: usize| u8::try_from(number).unwrap_or(u8::MAX);
                let (back, three) = rarest(text.as_bytes());
                let lead = Lead::Prefix { rule: small(rule), prefix: small(prefix), back: small(back) };
                leads.push((join(three[0], three[1], three[2]), lead));
                for back in 0..3 {
                    let (three, back) = encoded(three, back);
                    leads.push((three, Lead::Base64 { back }));
                }
            }
        }
        for high in 2..8 {
            leads.push((join(b'\\', b'x', b'0'.wrapping_add(high)), Lead::Escape));
            for low in b"0123456789abcdefABCDEF" {
                leads.push((join(b'%', b'0'.wrapping_add(high), *low), Lead::Escape));
            }
        }
        leads.push((join(b'\\', b'u', b'0'), Lead::Escape));
        leads.push((join(b'\\', b'u', b'{'), Lead::Escape));
        for quote in b"\"'`" {
            for after in b" +\t\r\n\\" {
                // `"a" + "b"`: a quote and a plus, with a blank between them or not.
                let joints: &[u8] = if *after == b'+' { b"\"'` \n\r\t\\" } else { b"+ \t\n" };
                leads.extend(joints.iter().map(|third| (join(*quote, *after, *third), Lead::Escape)));
            }
        }
        leads.sort_unstable_by_key(|(three, lead)| (*three, rank(*lead)));
        leads.dedup();
        let mut bits = Box::new([0; BYTES]);
        for (three, _) in &leads {
            let slot = slot(*three);
            if let Some(byte) = bits.get_mut((slot >> 3) as usize) {
                *byte |= 1 << (slot & 7);
            }
        }
        Self { bits, leads }
    }

    /// Calls `found` with each place between `from` and `to` where three bytes stand that lead somewhere.
    pub(super) fn each(&self, text: &[u8], from: usize, to: usize, found: &mut dyn FnMut(usize, u32)) {
        let end = to.saturating_add(2).min(text.len());
        let Some([a, b, rest @ ..]) = text.get(from..end) else { return };
        let mut three = join(0, *a, *b);
        for (index, byte) in rest.iter().enumerate() {
            three = three >> 8 | u32::from(*byte) << 16;
            let slot = slot(three);
            let bits = self.bits.get((slot >> 3) as usize).copied().unwrap_or(0);
            if bits >> (slot & 7) & 1 != 0 {
                found(from.saturating_add(index), three);
            }
        }
    }

    /// What three bytes lead to; usually nothing, since hashes are short.
    pub(super) fn leads(&self, three: u32) -> impl Iterator<Item = Lead> + '_ {
        let first = self.leads.partition_point(|(own, _)| *own < three);
        let rest = self.leads.get(first..).unwrap_or_default();
        rest.iter().take_while(move |(own, _)| *own == three).map(|(_, lead)| *lead)
    }
}

const fn rank(lead: Lead) -> u32 {
    match lead {
        Lead::Prefix { rule, prefix, .. } => (rule as u32) << 8 | prefix as u32,
        Lead::Base64 { back } => 1 << 16 | back as u32,
        Lead::Escape => 1 << 17,
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
                shared.each(text.as_bytes(), 0, text.len(), &mut |at, three| {
                    met |= shared.leads(three).any(|lead| match lead {
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
