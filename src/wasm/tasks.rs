//! What gates work on: futures, each with the promise that it settles.
//!
//! In place of `future_to_promise`, which sends a future through two queues of microtasks and looks at it once in vain:
//! here the first look is the one that may already give the result, and what an exchange brings goes on at once.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use js_sys::Function;
use wasm_bindgen::prelude::*;

use crate::time::Timestamp;

/// What a promise comes to.
type Settled = Result<JsValue, JsValue>;
type Work = Pin<Box<dyn Future<Output = Settled>>>;

#[wasm_bindgen(module = "/src/wasm/exchange.js")]
extern "C" {
    #[derive(Clone)]
    type Deferred;

    fn deferred() -> Deferred;

    /// Without a promise: who waits makes one.
    fn unsettled() -> Deferred;

    #[wasm_bindgen(method, getter)]
    fn promise(this: &Deferred) -> JsValue;

    #[wasm_bindgen(method)]
    fn resolve(this: &Deferred, value: JsValue);

    #[wasm_bindgen(method)]
    fn reject(this: &Deferred, reason: JsValue);

    #[wasm_bindgen(js_name = soon)]
    fn soon(run: &Function);
}

thread_local! {
    // Work in progress alone, as the queue of `future_to_promise` holds it: nothing outlives its request.
    static TASKS: RefCell<Tasks> = const { RefCell::new(Tasks::new()) };
}

thread_local! {
    // What the clock said in this look at a task.
    static LOOK: Cell<Look> = const { Cell::new(Look::Over) };
}

/// One look at a task, from which nothing returns to JavaScript's loop before it is over.
#[derive(Clone, Copy)]
enum Look {
    /// None is under way: the clock is asked each time.
    Over,
    Begun,
    At(Timestamp),
}

/// The time: within one look at a task the clock is read once, since a request asks for it a dozen times.
pub(super) fn now(read: impl FnOnce() -> Timestamp) -> Timestamp {
    match LOOK.get() {
        Look::At(now) => now,
        Look::Begun => {
            let now = read();
            LOOK.set(Look::At(now));
            now
        }
        Look::Over => read(),
    }
}

/// Does what JavaScript asks for, at the time that JavaScript says it is.
pub(super) fn at<T>(now: Timestamp, work: impl FnOnce() -> T) -> T {
    let around = LOOK.replace(Look::At(now));
    let done = work();
    LOOK.set(around);
    done
}

/// Looks at a future once. What it calls may begin another look, which ends this one's time.
fn look(work: &mut Work, waker: &Waker) -> Poll<Settled> {
    LOOK.set(Look::Begun);
    let polled = work.as_mut().poll(&mut Context::from_waker(waker));
    LOOK.set(Look::Over);
    polled
}

struct Tasks {
    all: Vec<Task>,
    free: Vec<u32>,
    woken: VecDeque<u32>,
    /// Whether a microtask will look at `woken`, or somebody does so at once.
    watched: bool,
    /// `run`, as JavaScript has it.
    run: Option<Function>,
}

struct Task {
    work: Option<(Work, Deferred)>,
    waker: Waker,
}

/// Wakes the task of this number; by then it may be another's, which is looked at in vain.
struct Knock(u32);

impl Wake for Knock {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        let later = TASKS.with_borrow_mut(|tasks| {
            if !tasks.woken.contains(&self.0) {
                tasks.woken.push_back(self.0);
            }
            if std::mem::replace(&mut tasks.watched, true) { None } else { Some(tasks.run().clone()) }
        });
        if let Some(run) = later {
            soon(&run);
        }
    }
}

impl Tasks {
    const fn new() -> Self {
        Self { all: Vec::new(), free: Vec::new(), woken: VecDeque::new(), watched: false, run: None }
    }

    fn run(&mut self) -> &Function {
        self.run.get_or_insert_with(|| Closure::<dyn Fn()>::new(run).into_js_value().unchecked_into())
    }

    /// A number, and what wakes it.
    fn take(&mut self) -> (u32, Waker) {
        if let Some(number) = self.free.pop()
            && let Some(task) = self.all.get(number as usize)
        {
            return (number, task.waker.clone());
        }
        let number = u32::try_from(self.all.len()).unwrap_or(u32::MAX);
        let waker = Waker::from(Arc::new(Knock(number)));
        self.all.push(Task { work: None, waker: waker.clone() });
        (number, waker)
    }

    fn keep(&mut self, number: u32, work: Work, deferred: Deferred) {
        if let Some(task) = self.all.get_mut(number as usize) {
            task.work = Some((work, deferred));
        }
    }

    /// The next of those woken that waits.
    fn next(&mut self) -> Option<(u32, Work, Deferred, Waker)> {
        loop {
            let number = self.woken.pop_front()?;
            let Some(task) = self.all.get_mut(number as usize) else { continue };
            if let Some((work, deferred)) = task.work.take() {
                return Some((number, work, deferred, task.waker.clone()));
            }
        }
    }
}

/// The result of `work` if it comes without waiting (a hit, a refusal), which then costs no promise; else a promise
/// of it.
pub(super) fn at_once(work: impl Future<Output = Settled> + 'static) -> Settled {
    begun(Box::pin(work), deferred).map(|begun| match begun {
        Begun::Over(result) => result,
        Begun::Under(deferred) => deferred.promise(),
    })
}

/// The same, but what waits is an object whose `resolve` and `reject` are called: who makes a promise of it anyway needs no
/// other one.
pub(super) fn at_once_or_told(work: impl Future<Output = Settled> + 'static) -> Settled {
    begun(Box::pin(work), unsettled).map(|begun| match begun {
        Begun::Over(result) => result,
        Begun::Under(deferred) => deferred.into(),
    })
}

/// What one look at work came to.
enum Begun {
    Over(JsValue),
    Under(Deferred),
}

fn begun(mut work: Work, deferred: fn() -> Deferred) -> Result<Begun, JsValue> {
    let (number, waker) = TASKS.with_borrow_mut(Tasks::take);
    let Poll::Ready(result) = look(&mut work, &waker) else {
        let deferred = deferred();
        let told = deferred.clone();
        TASKS.with_borrow_mut(|tasks| tasks.keep(number, work, deferred));
        return Ok(Begun::Under(told));
    };
    TASKS.with_borrow_mut(|tasks| tasks.free.push(number));
    result.map(Begun::Over)
}

/// Wakes, and goes on with what it woke. Only where nothing of ours is under way: called by JavaScript itself, not while
/// a task is looked at.
pub(super) fn go_on(waker: Waker) {
    let watched = TASKS.with_borrow_mut(|tasks| std::mem::replace(&mut tasks.watched, true));
    waker.wake();
    if !watched {
        run();
    }
}

/// Looks at all that were woken until now. What they wake is looked at in a microtask of its own.
fn run() {
    let mut left = TASKS.with_borrow_mut(|tasks| {
        tasks.watched = false;
        tasks.woken.len()
    });
    while left > 0 {
        left = left.saturating_sub(1);
        let Some((number, mut work, deferred, waker)) = TASKS.with_borrow_mut(Tasks::next) else { return };
        match look(&mut work, &waker) {
            Poll::Pending => TASKS.with_borrow_mut(|tasks| tasks.keep(number, work, deferred)),
            Poll::Ready(result) => {
                drop(work);
                TASKS.with_borrow_mut(|tasks| tasks.free.push(number));
                match result {
                    Ok(value) => deferred.resolve(value),
                    Err(reason) => deferred.reject(reason),
                }
            }
        }
    }
}
