//! Reads the packed table. Its form is told where it is made, in tools/prices/generate.py.

use super::rates::Rates;
use crate::money::Rate;

/// One id of one provider.
#[derive(Clone, Debug)]
pub(super) struct Model {
    pub(super) provider: &'static str,
    pub(super) id: &'static str,
    /// Also the id followed by a date.
    pub(super) dated: bool,
    pub(super) context: Option<u32>,
    pub(super) max_output: Option<u32>,
    /// Day since 1970.
    pub(super) retired_on: Option<u32>,
    /// Which lines are its prices: first, and the one after the last.
    pub(super) lines: (usize, usize),
}

/// When a line of prices applies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum When {
    /// Unless a later line applies.
    Always,
    /// From this day since 1970 on.
    From(u32),
    /// In the UTC hours whose bit is set.
    Hours(u32),
    /// With the line above, for more input tokens than this.
    Above(u64),
}

/// One line of prices.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) when: When,
    pub(super) rates: Rates,
}

/// Reads a packed table. A line that cannot be read is left out with its model's later lines at worst: what is
/// not in the table has no known price, and is refused.
pub(super) fn read(text: &'static str) -> (Vec<Model>, Vec<Line>) {
    let (mut models, mut lines) = (Vec::<Model>::new(), Vec::new());
    let mut provider = "";
    for line in text.lines() {
        let Some((kind, rest)) = line.split_at_checked(1) else { continue };
        let mut fields = rest.split('|');
        match kind {
            "@" => provider = rest,
            "=" | "~" => models.push(Model {
                provider,
                id: fields.next().unwrap_or_default(),
                dated: kind == "~",
                context: small(fields.next()),
                max_output: small(fields.next()),
                retired_on: small(fields.next()),
                lines: (lines.len(), lines.len()),
            }),
            _ => {
                let when = match kind {
                    "$" => Some(When::Always),
                    "+" => small(fields.next()).map(When::From),
                    "%" => small(fields.next()).map(When::Hours),
                    ">" => number(fields.next()).map(When::Above),
                    _ => None,
                };
                if let (Some(when), Some(rates), Some(model)) = (when, rates(fields), models.last_mut()) {
                    lines.push(Line { when, rates });
                    model.lines.1 = lines.len();
                }
            }
        }
    }
    (models, lines)
}

fn rates<'a>(mut fields: impl Iterator<Item = &'a str>) -> Option<Rates> {
    // Micro-dollars in the table, nano-dollars here.
    let mut next = || number(fields.next()).map(|micro| Rate::per_million(micro.saturating_mul(1_000)));
    Some(Rates { input: next()?, output: next()?, cache_read: next(), cache_write: next(), cache_write_1h: next() })
}

fn number(field: Option<&str>) -> Option<u64> {
    let field = field?;
    match field.strip_suffix('k') {
        Some(thousands) => thousands.parse::<u64>().ok()?.checked_mul(1_000),
        None => field.parse().ok(),
    }
}

fn small(field: Option<&str>) -> Option<u32> {
    number(field).and_then(|number| u32::try_from(number).ok())
}
