//! The texts of an answer or of one of its events, in any dialect: those that a person reads, and what tools are called
//! with. Found by the names of their fields.
//!
//! Reasoning is left alone: it goes back to its provider as it came, some of it under a signature. So are links,
//! citations and what the dialects carry besides.

use crate::json::{self, Raw};

/// Deepest that is looked: calls may carry JSON of any depth.
pub(super) const DEEPEST: u32 = 40;

/// One text.
pub(super) struct Piece<'a> {
    /// Which of several answers.
    pub(super) lane: u64,
    /// Which text of it.
    pub(super) path: u64,
    /// As it stands between its quotes.
    pub(super) text: &'a str,
    /// Where that is in the data.
    pub(super) start: usize,
    /// Whether it is a JSON document itself.
    pub(super) twice: bool,
    /// Whether later events may go on with it.
    pub(super) goes_on: bool,
}

/// Which texts are at their end with an event.
#[derive(Default)]
pub(super) struct Ends {
    pub(super) all: bool,
    /// Those of these answers.
    pub(super) lanes: Vec<u64>,
}

#[derive(Clone, Copy)]
struct At {
    lane: u64,
    path: u64,
    depth: u32,
    goes_on: bool,
    /// Within what a tool is called with.
    call: bool,
}

struct Walk<'a, 's> {
    data: &'a str,
    calls: bool,
    ends: Ends,
    sink: &'s mut dyn FnMut(Piece<'a>),
}

/// Gives every text of `data`, with those of tool calls if `calls`.
pub(super) fn pieces<'a>(data: &'a str, calls: bool, sink: &mut dyn FnMut(Piece<'a>)) -> Ends {
    let mut walk = Walk { data, calls, ends: Ends::default(), sink };
    let at = At { lane: 0, path: 0, depth: 0, goes_on: false, call: false };
    if walk.object(data, at).is_none() {
        walk.ends.all = true; // `[DONE]`
    }
    walk.ends
}

impl<'a> Walk<'a, '_> {
    fn object(&mut self, raw: &'a str, at: At) -> Option<()> {
        let fields = json::fields(raw).ok()?;
        let kind = fields.field("type").and_then(json::text).unwrap_or_default();
        let has = |part: &str| kind.contains(part);
        if !at.call && (has("reasoning") || has("thinking") || fields.field("thought").is_some_and(is_true)) {
            return Some(());
        }
        if at.depth == 0
            && ["stop", "done", "completed", "incomplete", "failed", "error"].iter().any(|end| kind.ends_with(end))
        {
            self.ends.all = true;
        }
        let mut at = At { depth: at.depth.saturating_add(1), ..at };
        if !at.call {
            for name in ["index", "output_index", "content_index"] {
                at.path = mix(at.path, fields.field(name).map_or("", Raw::get));
            }
        }
        for (name, raw) in fields.iter() {
            let at = At { path: mix(at.path, name), ..at };
            match name {
                _ if at.call => self.value(raw.get(), at),
                "choices" | "candidates" => self.answers(raw, At { goes_on: name == "candidates", ..at }),
                "input" | "args" => self.value(raw.get(), At { call: true, goes_on: false, ..at }),
                "arguments" => self.text(raw, at, true, true),
                "partial_json" => self.text(raw, At { goes_on: true, ..at }, true, true),
                "delta" if raw.get().starts_with('"') => {
                    let at = At { goes_on: true, ..at };
                    if has("arguments") || has("call_input") {
                        self.text(raw, at, true, has("arguments"));
                    } else if has("output_text") || has("refusal") {
                        self.text(raw, at, false, false);
                    }
                }
                "delta" => self.value(raw.get(), At { goes_on: true, ..at }),
                "content" | "text" | "refusal" if raw.get().starts_with('"') => self.text(raw, at, false, false),
                "annotations" | "citations" | "logprobs" | "metadata" | "tools" => {}
                _ => self.value(raw.get(), at),
            }
        }
        Some(())
    }

    /// Several answers, each a lane of its own.
    fn answers(&mut self, raw: Raw<'a>, at: At) {
        for item in json::items(raw.get()).unwrap_or_default() {
            let Ok(fields) = json::fields(item.get()) else { continue };
            let lane = mix(1, fields.field("index").map_or("0", Raw::get));
            self.value(item.get(), At { lane, ..at });
            let ended = |name: &str| fields.field(name).is_some_and(|raw| raw.get().starts_with('"'));
            if ended("finish_reason") || ended("finishReason") {
                self.ends.lanes.push(lane);
            }
        }
    }

    fn value(&mut self, raw: &'a str, at: At) {
        if at.depth > DEEPEST {
            return;
        }
        match raw.as_bytes().first() {
            Some(b'{') => drop(self.object(raw, at)),
            Some(b'[') => {
                for item in json::items(raw).unwrap_or_default() {
                    self.value(item.get(), At { depth: at.depth.saturating_add(1), ..at });
                }
            }
            Some(b'"') if at.call => self.quoted(raw, at, true, false),
            _ => {}
        }
    }

    fn text(&mut self, raw: Raw<'a>, at: At, call: bool, twice: bool) {
        self.quoted(raw.get(), at, call, twice);
    }

    fn quoted(&mut self, raw: &'a str, at: At, call: bool, twice: bool) {
        let Some(text) = raw.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).filter(|_| self.calls || !call)
        else {
            return;
        };
        let start = text.as_ptr().addr().saturating_sub(self.data.as_ptr().addr());
        (self.sink)(Piece { lane: at.lane, path: at.path, text, start, twice, goes_on: at.goes_on });
    }
}

fn is_true(raw: Raw<'_>) -> bool {
    raw.get() == "true"
}

/// Not to be relied on by anybody who may gain from two that are equal: a mark in pieces of two texts is no mark, and
/// would be put together within one answer only.
fn mix(path: u64, name: &str) -> u64 {
    name.bytes().fold(path.wrapping_add(1).wrapping_mul(0x100_0000_01b3), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}
