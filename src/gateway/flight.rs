//! Single-flight: equal requests at the same time share one exchange.
//!
//! The work is a future that whoever waits on it drives on; nobody owns it. If the one who began it
//! leaves, the next goes on with it. When the last one leaves, the work is told to abort and driven to
//! its end, so that its holds end too.

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Poll, Waker};

use crate::abort::Abort;
use crate::error::Error;

use super::answer::Served;

/// What a flight ends with: an answer or an error, to be shared.
pub(super) type Landing = Result<Rc<Served>, Rc<Error>>;

type Work = Pin<Box<dyn Future<Output = Landing>>>;

/// One exchange that several callers wait on.
pub(super) struct Flight {
    work: RefCell<Option<Work>>,
    landing: RefCell<Option<Landing>>,
    waiting: RefCell<Vec<Waker>>,
    waiters: Cell<u32>,
    /// Whether who began it left before it was known what it cost.
    unpaid: Cell<bool>,
    /// Aborts the work.
    abort: Abort,
}

/// How waiting ended.
pub(super) enum Waited {
    /// The flight landed.
    Landed(Landing),
    /// The waiter left by its own abort; others go on.
    Left,
}

impl Flight {
    /// A flight that does `work` once somebody waits. `abort` is the flag that the work obeys.
    pub(super) fn new(abort: Abort, work: impl Future<Output = Landing> + 'static) -> Rc<Self> {
        Rc::new(Self {
            work: RefCell::new(Some(Box::pin(work))),
            landing: RefCell::new(None),
            waiting: RefCell::new(Vec::new()),
            waiters: Cell::new(0),
            unpaid: Cell::new(false),
            abort,
        })
    }

    /// Waits for the landing, or until `own` is set.
    pub(super) async fn wait(self: Rc<Self>, own: &Abort) -> Waited {
        let seat = Seat::take(&self);
        let waited = poll_fn(|context| {
            if own.poll(context).is_ready() {
                if self.waiters.get() > 1 {
                    return Poll::Ready(Waited::Left);
                }
                self.abort.trigger();
            }
            if let Some(landing) = &*self.landing.borrow() {
                return Poll::Ready(Waited::Landed(landing.clone()));
            }
            // Taken out while it runs: it may come back to this flight, which must not be borrowed then.
            let Some(mut work) = self.work.take() else { return Poll::Pending };
            match work.as_mut().poll(context) {
                Poll::Ready(landing) => {
                    *self.landing.borrow_mut() = Some(landing.clone());
                    if self.waiters.get() == 1 {
                        // Nobody else waits, and this one has its answer: there is nobody to wake.
                        self.waiting.borrow_mut().clear();
                    } else {
                        self.wake_all();
                    }
                    Poll::Ready(Waited::Landed(landing))
                }
                Poll::Pending => {
                    *self.work.borrow_mut() = Some(work);
                    let mut waiting = self.waiting.borrow_mut();
                    if !waiting.iter().any(|waker| waker.will_wake(context.waker())) {
                        waiting.push(context.waker().clone());
                    }
                    Poll::Pending
                }
            }
        })
        .await;
        drop(seat);
        waited
    }

    /// Whether it takes nobody on board any more: it landed, or nobody waits on it.
    pub(super) fn is_over(&self) -> bool {
        self.waiters.get() == 0 || self.landing.borrow().is_some()
    }

    /// Who began it leaves: what it costs is another's.
    pub(super) fn pass_on(&self) {
        self.unpaid.set(true);
    }

    /// Whether its cost is to be told to who asks: to one alone, if who began it left.
    pub(super) fn inherit(&self) -> bool {
        self.unpaid.take()
    }

    fn wake_all(&self) {
        for waker in self.waiting.take() {
            waker.wake();
        }
    }
}

/// A waiter's place. When it is given up, the others are woken: the leaver may have been the one who
/// drove the work.
struct Seat<'a>(&'a Flight);

impl<'a> Seat<'a> {
    fn take(flight: &'a Flight) -> Self {
        flight.waiters.set(flight.waiters.get().saturating_add(1));
        Self(flight)
    }
}

impl Drop for Seat<'_> {
    fn drop(&mut self) {
        self.0.waiters.set(self.0.waiters.get().saturating_sub(1));
        self.0.wake_all();
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::task::{Context, Wake};

    use super::*;
    use crate::error::Code;

    #[derive(Default)]
    struct Woken(AtomicBool);

    impl Wake for Woken {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::Relaxed);
        }
    }

    #[test]
    fn who_drives_the_work_to_its_end_wakes_who_waits() {
        let mut polls = 0;
        let work = poll_fn(move |_| {
            polls += 1;
            if polls < 3 { Poll::Pending } else { Poll::Ready(Err(Error::new(Code::Timeout).into())) }
        });
        let flight = Flight::new(Abort::new(), work);
        let (own, other) = (Abort::new(), Abort::new());
        let (mut leader, mut joined) = (pin!(flight.clone().wait(&own)), pin!(flight.wait(&other)));
        let (driver, woken) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let (leading, waiting) = (Waker::from(driver), Waker::from(woken.clone()));
        assert!(leader.as_mut().poll(&mut Context::from_waker(&leading)).is_pending());
        assert!(joined.as_mut().poll(&mut Context::from_waker(&waiting)).is_pending());
        assert!(!woken.0.load(Ordering::Relaxed));
        assert!(leader.as_mut().poll(&mut Context::from_waker(&leading)).is_ready());
        assert!(woken.0.load(Ordering::Relaxed), "nobody else would");
        let landed = joined.as_mut().poll(&mut Context::from_waker(&waiting));
        assert!(matches!(landed, Poll::Ready(Waited::Landed(Err(error))) if error.code == Code::Timeout));
    }

    #[test]
    fn who_leaves_wakes_who_waits() {
        let flight = Flight::new(Abort::new(), std::future::pending());
        let (own, other) = (Abort::new(), Abort::new());
        let (mut leader, mut joined) = (Box::pin(flight.clone().wait(&own)), pin!(flight.wait(&other)));
        let (driver, woken) = (Arc::new(Woken::default()), Arc::new(Woken::default()));
        let (leading, waiting) = (Waker::from(driver), Waker::from(woken.clone()));
        assert!(leader.as_mut().poll(&mut Context::from_waker(&leading)).is_pending());
        assert!(joined.as_mut().poll(&mut Context::from_waker(&waiting)).is_pending());
        drop(leader);
        assert!(woken.0.load(Ordering::Relaxed), "the work is driven by who is left");
    }
}
