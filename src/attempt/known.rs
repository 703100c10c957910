//! Most events of a stream differ from the one before in nothing but one piece of text. Such an event need not be
//! read again: its bytes are compared, and the text is all that is looked at.

use crate::chat::Delta;
use crate::json::{self, Escaped};

/// The last event of a stream, if one piece of text was all that it brought.
#[derive(Clone, Debug, Default)]
pub(super) struct Known {
    /// The event up to its text; empty if there is none.
    before: Vec<u8>,
    /// The event from its text's closing quote to its end.
    after: Vec<u8>,
    piece: Option<Delta<'static>>,
}

/// All are alike: what is remembered only saves work, and depends on how the bytes were cut.
impl PartialEq for Known {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

impl Eq for Known {}

impl Known {
    /// Nothing is known of what comes next.
    pub(super) fn forget(&mut self) {
        self.piece = None;
    }

    /// What the known event brought, without its text.
    pub(super) const fn piece(&self) -> Option<&Delta<'static>> {
        self.piece.as_ref()
    }

    /// Keeps an event that brought `piece` and nothing else. Not if its text does not lie in the event as it is (it was
    /// put together from lines), or a line feed does not end it (another one might belong to it).
    pub(super) fn keep(&mut self, event: &[u8], piece: &Delta<'_>) {
        let Some(text) = text(piece) else { return };
        let start = text.as_ptr().addr().wrapping_sub(event.as_ptr().addr());
        let parts = event.split_at_checked(start);
        let Some((before, Some(after))) = parts.map(|(before, rest)| (before, rest.strip_prefix(text.as_bytes())))
        else {
            return;
        };
        // A byte order mark counts at the beginning of a stream only.
        if before.starts_with(b"data:") || before.starts_with(b"event:") {
            self.before.clear();
            self.before.extend_from_slice(before);
            self.after.clear();
            self.after.extend_from_slice(after);
            self.piece = after.ends_with(b"\n").then(|| with(piece, Escaped::default())).flatten();
        }
    }

    /// What the event brings that `bytes` begin with, and how long it is; `None` if it has to be read.
    pub(super) fn read<'a>(&self, bytes: &'a [u8]) -> Option<(Delta<'a>, usize)> {
        let piece = self.piece.as_ref()?;
        let rest = strip(bytes, &self.before)?;
        let (text, rest) = rest.split_at_checked(json::inside(rest)?)?;
        let rest = strip(rest, &self.after)?;
        // Without a text another field may count.
        let text = str::from_utf8(text).ok().filter(|text| !text.is_empty())?;
        Some((with(piece, Escaped::trusted(text))?, bytes.len().wrapping_sub(rest.len())))
    }
}

fn text<'a>(piece: &'a Delta<'_>) -> Option<&'a str> {
    match piece {
        Delta::Text { text, .. } | Delta::Reasoning { text, .. } | Delta::ToolArguments { json: text, .. } => {
            Some(text.get())
        }
        _ => None,
    }
}

fn with<'a>(piece: &Delta<'_>, text: Escaped<'a>) -> Option<Delta<'a>> {
    Some(match *piece {
        Delta::Text { choice, .. } => Delta::Text { choice, text },
        Delta::Reasoning { choice, .. } => Delta::Reasoning { choice, text },
        Delta::ToolArguments { choice, index, .. } => Delta::ToolArguments { choice, index, json: text },
        _ => return None,
    })
}

/// What follows after `prefix`. Many bytes at a time without a look in between, since nearly all are the same, and the last
/// ones twice: the `memcmp` of this target goes byte by byte.
fn strip<'a>(bytes: &'a [u8], prefix: &[u8]) -> Option<&'a [u8]> {
    let (own, rest) = bytes.split_at_checked(prefix.len())?;
    let differ = |own: &[u8; 8], wanted: &[u8; 8]| u64::from_le_bytes(*own) ^ u64::from_le_bytes(*wanted);
    let same = match (own.last_chunk(), prefix.last_chunk()) {
        (Some(own_end), Some(end)) => {
            let words = own.as_chunks().0.iter().zip(prefix.as_chunks().0);
            words.fold(differ(own_end, end), |sum, (own, wanted)| sum | differ(own, wanted)) == 0
        }
        _ => own == prefix,
    };
    same.then_some(rest)
}
