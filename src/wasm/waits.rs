//! What JavaScript brings later, fetches and timers, each known by a number. One function of ours hears of them all: a
//! function made anew for each, or a promise that Rust waits on, costs more than the message itself.

use std::cell::RefCell;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::AbortSignal;

#[cfg(feature = "speed")]
use super::fetch::{clear_shared_timer, set_shared_timer};
use super::fetch::{clear_timer, listen, set_timer, unlisten};
use super::tasks::go_on;
use crate::abort::Abort;

/// What came: of a fetch and of a body's next bytes see `exchange.js`; of a timer nothing.
pub(super) struct Came {
    /// HTTP status; negative for a fetch without a response, or without all of it.
    pub(super) status: i32,
    /// Whether `body` is a reader and not all of the bytes.
    pub(super) open: bool,
    /// Names and values in turn, or nothing.
    pub(super) headers: JsValue,
    pub(super) body: JsValue,
}

/// Everything that one gate waits for.
#[derive(Clone)]
pub(super) struct Waits {
    places: Rc<RefCell<Places>>,
    /// To be called once for each number, with it and what came. JavaScript keeps it as long as anything may still call.
    pub(super) done: Function,
    /// Whether requests may share a timer.
    #[cfg(feature = "speed")]
    shares_timers: bool,
}

impl Waits {
    #[cfg_attr(not(feature = "speed"), expect(unused_variables, reason = "no timer is shared in this build"))]
    pub(super) fn new(shares_timers: bool) -> Self {
        let places: Rc<RefCell<Places>> = Rc::default();
        let own = places.clone();
        let done =
            Closure::<dyn Fn(u32, i32, bool, JsValue, JsValue)>::new(move |number, status, open, headers, body| {
                let heard = own.borrow_mut().fill(number, Came { status, open, headers, body });
                // Not while the places are borrowed: who is woken may take one.
                match heard {
                    Some(Heard::Wait(waker)) => go_on(waker),
                    Some(Heard::Signal(abort)) => abort.trigger(),
                    None => {}
                }
            });
        Self {
            places,
            done: done.into_js_value().unchecked_into(),
            #[cfg(feature = "speed")]
            shares_timers,
        }
    }

    /// A place for what is to come. Dropped before that, it stays taken until it has come.
    pub(super) fn place(&self) -> Wait {
        let number = self.places.borrow_mut().take();
        Wait { places: self.places.clone(), number }
    }
}

/// Who hears of what came.
enum Heard {
    Wait(Waker),
    Signal(Abort),
}

enum Place {
    Free,
    Waiting(Option<Waker>),
    Came(Came),
    /// A signal's, as long as it is listened to.
    Signal(Abort),
    /// Nobody waits any more; it has not come yet.
    Left,
}

#[derive(Default)]
struct Places {
    all: Vec<Place>,
    free: Vec<u32>,
}

impl Places {
    fn take(&mut self) -> u32 {
        let number = self.free.pop().unwrap_or_else(|| {
            self.all.push(Place::Free);
            u32::try_from(self.all.len().saturating_sub(1)).unwrap_or(u32::MAX)
        });
        self.set(number, Place::Waiting(None));
        number
    }

    fn set(&mut self, number: u32, place: Place) -> Place {
        match self.all.get_mut(number as usize) {
            Some(own) => std::mem::replace(own, place),
            None => Place::Free,
        }
    }

    fn fill(&mut self, number: u32, came: Came) -> Option<Heard> {
        match self.set(number, Place::Came(came)) {
            Place::Waiting(waker) => waker.map(Heard::Wait),
            Place::Signal(abort) => {
                self.set(number, Place::Signal(abort.clone()));
                Some(Heard::Signal(abort))
            }
            Place::Left => {
                self.release(number);
                None
            }
            // A second report of the same wait, which our own scripts never make.
            other @ (Place::Free | Place::Came(_)) => {
                self.set(number, other);
                None
            }
        }
    }

    fn release(&mut self, number: u32) {
        self.set(number, Place::Free);
        self.free.push(number);
    }
}

/// One place; as a future, what comes there.
pub(super) struct Wait {
    places: Rc<RefCell<Places>>,
    pub(super) number: u32,
}

impl Wait {
    /// Nothing will come any more.
    pub(super) fn cancel(&self) {
        let mut places = self.places.borrow_mut();
        if matches!(places.all.get(self.number as usize), Some(Place::Waiting(_))) {
            places.set(self.number, Place::Came(Came::nothing()));
        }
    }
}

impl Came {
    const fn nothing() -> Self {
        Self { status: 0, open: false, headers: JsValue::UNDEFINED, body: JsValue::UNDEFINED }
    }
}

impl Future for Wait {
    type Output = Came;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Came> {
        let mut places = self.places.borrow_mut();
        match places.all.get_mut(self.number as usize) {
            Some(Place::Waiting(waker)) => {
                if !waker.as_ref().is_some_and(|own| own.will_wake(context.waker())) {
                    *waker = Some(context.waker().clone());
                }
                Poll::Pending
            }
            Some(Place::Came(came)) => Poll::Ready(std::mem::replace(came, Came::nothing())),
            Some(Place::Free | Place::Left | Place::Signal(_)) | None => Poll::Pending,
        }
    }
}

impl Drop for Wait {
    fn drop(&mut self) {
        let mut places = self.places.borrow_mut();
        match places.set(self.number, Place::Left) {
            Place::Came(_) => places.release(self.number),
            Place::Waiting(_) | Place::Left | Place::Free | Place::Signal(_) => {}
        }
    }
}

/// Listens to a signal as long as it lives.
pub(super) struct Listening {
    places: Rc<RefCell<Places>>,
    number: u32,
    signal: AbortSignal,
    /// What JavaScript calls.
    heard: JsValue,
}

impl Listening {
    /// Sets `abort` once the signal says so; now, if it has.
    pub(super) fn to(waits: &Waits, signal: AbortSignal, abort: Abort) -> Self {
        if signal.aborted() {
            abort.trigger();
        }
        let places = waits.places.clone();
        let number = places.borrow_mut().take();
        places.borrow_mut().set(number, Place::Signal(abort));
        let heard = listen(&signal, &waits.done, number);
        Self { places, number, signal, heard }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        unlisten(&self.signal, &self.heard);
        self.places.borrow_mut().release(self.number);
    }
}

/// A timer, cleared when it is dropped.
pub(super) struct Sleep {
    wait: Wait,
    timer: JsValue,
    #[cfg(feature = "speed")]
    shared: bool,
}

impl Sleep {
    /// A timer of at most `i32::MAX` milliseconds.
    pub(super) fn new(waits: &Waits, millis: u32) -> Self {
        let wait = waits.place();
        #[cfg(feature = "speed")]
        if waits.shares_timers {
            let timer = set_shared_timer(millis, &waits.done, wait.number);
            return Self { wait, timer, shared: true };
        }
        let timer = set_timer(millis, &waits.done, wait.number);
        Self {
            wait,
            timer,
            #[cfg(feature = "speed")]
            shared: false,
        }
    }

    fn clear(&self) {
        #[cfg(feature = "speed")]
        if self.shared {
            return clear_shared_timer(&self.timer);
        }
        clear_timer(&self.timer);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.wait).poll(context).map(|_| ())
    }
}

impl Drop for Sleep {
    fn drop(&mut self) {
        self.clear();
        self.wait.cancel();
    }
}
