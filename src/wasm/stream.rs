//! A stream, as JavaScript holds it: JavaScript owns the reader and the timer, all that is decided is Rust's.

use std::cell::RefCell;
use std::rc::Rc;

use wasm_bindgen::prelude::*;

use super::call::bytes;
use super::core::span;
use super::host::JsHost;
use super::tasks::{at, at_once};
use crate::attempt::Pushed;
use crate::error::NetworkKind;
use crate::gateway::{Ending, Streaming};
use crate::time::Timestamp;

/// One stream after its commit point.
#[wasm_bindgen]
pub struct ChatStream {
    open: RefCell<Option<Box<Streaming<JsHost>>>>,
    account: Rc<RefCell<String>>,
    out: RefCell<Vec<u8>>,
}

/// What [`ChatStream::push`] answers.
const SAME: u32 = 1;
const OTHER: u32 = 2;
const OVER: u32 = 4;
const LATE: u32 = 8;
const PART: u32 = 16;
/// Above the bits: of how many bytes a part is.
const LENGTH: u32 = 5;

impl ChatStream {
    pub(super) fn new(streaming: Box<Streaming<JsHost>>) -> Self {
        Self { open: RefCell::new(Some(streaming)), account: Rc::default(), out: RefCell::default() }
    }

    /// Ends the stream once; a second time there is nothing to end. At once if its ledger need not be waited for.
    fn close(&self, ending: Ending) -> Result<JsValue, JsValue> {
        let open = self.open.borrow_mut().take();
        let Some(streaming) = open else { return Ok(JsValue::UNDEFINED) };
        let account = self.account.clone();
        at_once(async move {
            let closed = streaming.finish(ending).await;
            account.replace(closed.to_json());
            Ok(bytes(&closed.trailing))
        })
    }
}

#[wasm_bindgen]
impl ChatStream {
    /// What was read up to the commit point: to be handed out first.
    pub fn head(&self) -> JsValue {
        self.open.borrow_mut().as_mut().map_or(JsValue::UNDEFINED, |open| bytes(&open.take_head()))
    }

    /// Takes a chunk in that came at `now` (milliseconds), and says in bits what follows: 1 hand out the same chunk, 2 hand
    /// out what [`take`](Self::take) gives instead, 4 nothing more is to be read, 8 the time for the whole has run out, 16
    /// hand out the beginning of the chunk, so many bytes of it as the bits above say.
    pub fn push(&self, chunk: &[u8], now: f64) -> u32 {
        let mut open = self.open.borrow_mut();
        let Some(open) = &mut *open else { return OVER };
        #[expect(clippy::cast_possible_truncation, reason = "JavaScript's dates end long before 2^53")]
        let now = Timestamp::from_millis(now as i64);
        let (pushed, in_time) = at(now, || open.push(chunk));
        let out = match pushed {
            Pushed::Same => SAME,
            Pushed::Part(length) if length >> (u32::BITS - LENGTH) == 0 => {
                PART | u32::try_from(length).unwrap_or(0) << LENGTH
            }
            Pushed::Bytes(bytes) if bytes.is_empty() => 0,
            other => {
                self.out.replace(other.of(chunk).to_vec());
                OTHER
            }
        };
        out | if open.is_over() { OVER } else { 0 } | if in_time { 0 } else { LATE }
    }

    /// What is to be handed out in place of the chunk that was pushed last.
    pub fn take(&self) -> JsValue {
        bytes(&self.out.take())
    }

    /// The consumer did not ask for anything for so many milliseconds: that is nobody's silence.
    pub fn paused(&self, millis: f64) {
        if let Some(open) = self.open.borrow_mut().as_mut() {
            open.paused(span(millis));
        }
    }

    /// Milliseconds until a timer may run out; zero or less once one has.
    #[wasm_bindgen(js_name = timeLeftMs)]
    pub fn time_left_ms(&self) -> f64 {
        let left = self.open.borrow_mut().as_mut().map(|open| open.time_left().as_millis());
        u32::try_from(left.unwrap_or(0)).unwrap_or(u32::MAX).into()
    }

    /// Settles, and gives what is still to be handed out. `how`: 0 the last byte came, 1 the network failed,
    /// 2 a timer ran out. A promise only if something has to be waited for.
    pub fn finish(&self, how: u32) -> Result<JsValue, JsValue> {
        let ending = match how {
            1 => Ending::Lost(NetworkKind::Network),
            2 => Ending::Late,
            _ => Ending::End,
        };
        self.close(ending)
    }

    /// The consumer went away: settles. A promise only if something has to be waited for.
    pub fn cancel(&self) -> Result<JsValue, JsValue> {
        self.close(Ending::Left)
    }

    /// The account as JSON: so far, or final once it is settled.
    pub fn account(&self) -> String {
        match &*self.open.borrow() {
            Some(open) => open.meta().to_json(),
            None => self.account.borrow().clone(),
        }
    }
}
