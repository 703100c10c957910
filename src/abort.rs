//! Abort: a flag that futures wait on, and the race of work against a timer and that flag.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

/// Says "stop" once, to everyone who holds a clone.
#[derive(Clone, Default, Debug)]
pub struct Abort(Rc<Inner>);

#[derive(Default, Debug)]
struct Inner {
    aborted: Cell<bool>,
    waiting: RefCell<Vec<Waker>>,
}

impl Abort {
    /// A flag that is not set.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets the flag and wakes who waits on it.
    pub fn trigger(&self) {
        self.0.aborted.set(true);
        for waker in self.0.waiting.take() {
            waker.wake();
        }
    }

    /// Whether the flag is set.
    #[must_use]
    pub fn is_aborted(&self) -> bool {
        self.0.aborted.get()
    }

    /// Ready once the flag is set.
    pub fn poll(&self, context: &Context<'_>) -> Poll<()> {
        if self.is_aborted() {
            return Poll::Ready(());
        }
        let mut waiting = self.0.waiting.borrow_mut();
        if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
            waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

/// How a race ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Raced<T> {
    /// The work was done.
    Done(T),
    /// The timer ran out first.
    TimedOut,
    /// The flag was set first.
    Aborted,
}

/// Does `work` until `timer` runs out or `abort` is set. What loses is dropped, which cancels it.
pub async fn race<T>(work: impl Future<Output = T>, timer: impl Future<Output = ()>, abort: &Abort) -> Raced<T> {
    let mut work = pin!(work);
    let mut timer = pin!(timer);
    poll_fn(|context| {
        // The flag goes first: work that would start after an abort must not.
        if abort.poll(context).is_ready() {
            return Poll::Ready(Raced::Aborted);
        }
        if let Poll::Ready(value) = work.as_mut().poll(context) {
            return Poll::Ready(Raced::Done(value));
        }
        timer.as_mut().poll(context).map(|()| Raced::TimedOut)
    })
    .await
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn now<T>(future: impl Future<Output = T>) -> Option<T> {
        match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(value) => Some(value),
            Poll::Pending => None,
        }
    }

    #[test]
    fn the_first_one_wins_and_an_abort_goes_before_all() {
        let abort = Abort::new();
        assert_eq!(now(race(ready(1), pending(), &abort)), Some(Raced::Done(1)));
        assert_eq!(now(race(pending::<u8>(), ready(()), &abort)), Some(Raced::TimedOut));
        assert_eq!(now(race(pending::<u8>(), pending(), &abort)), None);
        abort.trigger();
        assert_eq!(now(race(ready(1), ready(()), &abort)), Some(Raced::Aborted));
    }
}
