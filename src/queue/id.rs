//! The name of a queued request: where it is, and 120 random bits without which it cannot be seen.

use crate::record::hex;

/// A request's id, taken apart: `rq_` and 44 hexadecimal digits.
///
/// It is bound to its organisation by where it is looked for: every organisation has a store of its own.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Ticket {
    /// Which of the organisation's stores holds it.
    pub shard: u8,
    /// Its arrival, which is the name of its row.
    pub arrival: i64,
    /// Known to whoever was given the id.
    pub secret: [u8; 15],
}

const PREFIX: &str = "rq_";

impl Ticket {
    /// The id as callers see it.
    #[must_use]
    pub fn to_text(self) -> String {
        let [_, _, arrival @ ..] = self.arrival.to_be_bytes();
        [PREFIX, &hex(&[self.shard]), &hex(&arrival), &hex(&self.secret)].concat()
    }

    /// Reads an id; `None` for what cannot be one.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(PREFIX)?.as_bytes();
        let mut bytes = [0u8; 22];
        if digits.len() != bytes.len().saturating_mul(2) {
            return None;
        }
        for (byte, pair) in bytes.iter_mut().zip(digits.as_chunks::<2>().0) {
            let [high, low] = pair.map(digit);
            *byte = (high? << 4) | low?;
        }
        let [shard, a, b, c, d, e, f, secret @ ..] = bytes;
        Some(Self { shard, arrival: i64::from_be_bytes([0, 0, a, b, c, d, e, f]), secret })
    }
}

/// Lower case alone: one request has one id.
const fn digit(letter: u8) -> Option<u8> {
    match letter {
        b'0'..=b'9' => Some(letter.wrapping_sub(b'0')),
        b'a'..=b'f' => Some(letter.wrapping_sub(b'a').wrapping_add(10)),
        _ => None,
    }
}

#[cfg(test)]
#[cfg(not(target_arch = "wasm32"))] // proptest does not build there
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_id_comes_back(shard: u8, arrival in 0i64..1 << 48, secret: [u8; 15]) {
            let ticket = Ticket { shard, arrival, secret };
            prop_assert_eq!(Ticket::parse(&ticket.to_text()), Some(ticket));
        }

        #[test]
        fn nothing_else_is_one(text: String, cut in 0usize..47) {
            prop_assert_eq!(Ticket::parse(&text), None);
            let id = Ticket { shard: 1, arrival: 2, secret: [3; 15] }.to_text();
            prop_assert_eq!(Ticket::parse(id.get(..cut).unwrap()), None);
            prop_assert_eq!(Ticket::parse(&format!("{id}0")), None);
            prop_assert_eq!(Ticket::parse(&id.to_uppercase()), None);
        }
    }
}
