//! The plan, its attempts, and what they are charged.

mod events;
mod failures;
mod settling;

use std::pin::Pin;
use std::rc::Rc;
use std::time::Duration;

pub(super) use settling::store;

use super::Host;
use super::answer::Served;
use super::context::{Context, Hold};
use super::gate::is_final_upstream;
use super::offers::{Offer, no_plan, offers};
use super::prepare::Prepared;
use super::streaming::Streaming;
use crate::admit::Charge;
use crate::attempt::{Committed, Exchange, Failure, Kind, Timers};
use crate::cache::Controls;
#[cfg(feature = "edge")]
use crate::error::Asked;
use crate::error::{AttemptError, BreakerOutcome, Code, Detail, Error, Result, TimeoutKind};
use crate::host::of_the_rest;
use crate::money::NanoUsd;
use crate::price::Price;
#[cfg(feature = "edge")]
use crate::price::estimate_input;
use crate::provider::{Answer, encode_body};
use crate::retry::{Failure as Failed, Position, Step, next_step};
use crate::route::plan;
use crate::time::Timestamp;

/// Leases outlast the deadline by this much, so that a live request never loses its holds.
const LEASE_GRACE: Duration = Duration::from_secs(60);

/// What leading a question came to.
pub(super) enum Led<H: Host, S = Served> {
    Served(S),
    Streaming(Box<Streaming<H>>),
}

/// Leads one question: exchange, store, record.
pub(super) async fn lead<H: Host>(
    context: Rc<Context<H>>,
    prepared: Rc<Prepared>,
    controls: Controls,
) -> Result<Led<H>> {
    let gate = context.gate.clone();
    gate.state.borrow_mut().retry.note_request(prepared.started);
    let mut run = Run::new(context.clone(), prepared.clone());
    let ended = run.drive().await;
    let now = context.host.now();
    let led = match ended {
        Ok(Ended::Streaming(commit, committed)) => {
            return Ok(Led::Streaming(Streaming::new(run, controls, commit, *committed, now).into()));
        }
        Ok(Ended::Whole(served, answer, by_fallback)) => {
            if let Some(answer) = answer {
                store(&context, &prepared, &controls, &served, &answer, by_fallback, now);
            }
            Ok(Led::Served(served))
        }
        Err(error) => {
            if is_final_upstream(error.code) && !error.is_offline() {
                gate.keep_final(prepared.fingerprint, &error, now);
            }
            Err(error)
        }
    };
    context.keep_record(&prepared);
    led
}

/// How the plan ended: with a whole answer, what was read of it (nothing of a degraded reply) and whether a
/// fallback gave it; or with a stream that has committed.
pub(super) enum Ended<C> {
    Whole(Served, Option<Answer>, bool),
    Streaming(Commit, Box<Committed<C>>),
}

/// The attempt whose stream committed.
#[derive(Clone, Debug)]
pub(super) struct Commit {
    pub(super) index: usize,
    pub(super) hold: Hold,
    /// What is reserved for it.
    pub(super) bound: NanoUsd,
    pub(super) by_fallback: bool,
    price: Price,
    began: Timestamp,
}

/// The attempts of one request.
pub(super) struct Run<H> {
    pub(super) context: Rc<Context<H>>,
    pub(super) prepared: Rc<Prepared>,
    pub(super) deadline: Timestamp,
    pub(super) attempts: u32,
    /// The target of the last one.
    #[cfg(feature = "edge")]
    asked: usize,
    /// What all attempts were charged.
    pub(super) cost: NanoUsd,
    pub(super) failed: Vec<AttemptError>,
    /// The primary's error: what the caller gets when all fail. What the provider answered, unless it was never asked.
    primary: Option<Error>,
}

/// What follows an attempt that failed.
enum Next {
    Again,
    Target,
    Stop(Box<Error>),
}

impl<H: Host> Run<H> {
    pub(super) fn new(context: Rc<Context<H>>, prepared: Rc<Prepared>) -> Self {
        let deadline = prepared.started.after(context.gate.config.timeouts.total);
        Self {
            context,
            prepared,
            deadline,
            attempts: 0,
            #[cfg(feature = "edge")]
            asked: 0,
            cost: NanoUsd::ZERO,
            failed: Vec::new(),
            primary: None,
        }
    }

    /// Works the plan off, and gives the slot back unless a stream goes on.
    pub(super) async fn drive(&mut self) -> Result<Ended<H::Chunks>> {
        let ended = self.work().await;
        if let Ok(Ended::Streaming(..)) = &ended {
            return ended;
        }
        self.context.end_slot().await;
        let result = match ended {
            Err(mut error) => {
                error.attempts = std::mem::take(&mut self.failed);
                error.cost = self.cost;
                #[cfg(feature = "edge")]
                {
                    let exchanges = self.attempts;
                    error.asked = (exchanges > 0).then(|| Asked { exchanges, target: self.name(self.asked) });
                }
                let context = self.context.clone();
                match &context.gate.config.degraded {
                    Some(text)
                        if failures::is_degradable(error.code)
                            && context.ask.kind == Kind::Chat
                            && context.host.rest().await =>
                    {
                        #[cfg(feature = "edge")]
                        let served = self.degraded(text, &error.attempts);
                        #[cfg(not(feature = "edge"))]
                        let served = self.degraded(text);
                        Ok(Ended::Whole(served, None, false))
                    }
                    _ => Err(error),
                }
            }
            ended => ended,
        };
        match &result {
            Ok(Ended::Whole(served, ..)) => self.note_end(&served.target, served.cost),
            Ok(Ended::Streaming(..)) => {}
            Err(error) => {
                let fields = ["end".into(), error.code.as_str().into(), self.attempts.into()];
                self.context.tape.borrow_mut().line(&fields);
            }
        }
        result
    }

    fn note_end(&self, target: &str, cost: NanoUsd) {
        let fields = ["end".into(), "ok".into(), target.into(), self.attempts.into(), cost.as_nano().into()];
        self.context.tape.borrow_mut().line(&fields);
    }

    async fn work(&mut self) -> Result<Ended<H::Chunks>> {
        let (context, prepared) = (self.context.clone(), self.prepared.clone());
        let config = &context.gate.config;
        let now = context.now();
        let (offers, candidates) = offers(&context.gate, &prepared.facts, &prepared.reach, now);
        let plan = plan(&candidates, prepared.facts.requested, config.allow_paid_fallback);
        let plan = plan.map_err(|exclusion| no_plan(exclusion, &prepared.reach, &config.targets, &candidates))?;
        let mut cheaper_than = None;
        for (position, index) in plan.iter().copied().enumerate() {
            let Some(offer) = offers.get(index) else { continue };
            // After a refusal for want of budget only a cheaper target is asked.
            if cheaper_than.is_some_and(|bound| offer.bound >= bound) {
                continue;
            }
            let rest = plan.get(position.saturating_add(1)..).unwrap_or_default();
            match self.target(index, offer, position, rest, &offers).await? {
                TargetEnd::Ended(ended) => return Ok(*ended),
                TargetEnd::Next => {}
                TargetEnd::Cheaper => cheaper_than = Some(offer.bound),
            }
        }
        Err(self.primary.take().unwrap_or_else(|| Error::new(Code::NoTarget)).into())
    }

    /// All attempts at one target.
    async fn target(
        &mut self,
        index: usize,
        offer: &Offer,
        position: usize,
        rest: &[usize],
        offers: &[Offer],
    ) -> Result<TargetEnd<H::Chunks>> {
        let context = self.context.clone();
        let mut retries = 0u32;
        loop {
            let now = context.now();
            let remaining = self.deadline.since(now);
            if remaining.is_zero() {
                return Err(self.give_up(Error::new(Code::Timeout).with(Detail::Timeout(TimeoutKind::Total))));
            }
            #[cfg(feature = "edge")]
            if let Some(standing) = &context.standing {
                let facts = &self.prepared.facts;
                let target = context.gate.config.targets.get(index);
                standing.estimate(|| {
                    let input = target.map_or(0, |own| estimate_input(&facts.parts, &own.provider, &own.model));
                    input.saturating_add(u64::from(offer.max_output).saturating_mul(facts.choices.into()))
                });
            }
            let hold = match context.admit(index, offer.bound, self.deadline.after(LEASE_GRACE)).await {
                Ok(hold) => hold,
                Err(error) => return self.refused(index, *error, offer, rest, offers),
            };
            self.attempts = self.attempts.saturating_add(1);
            #[cfg(feature = "edge")]
            {
                self.asked = index;
            }
            let timeouts = &context.gate.config.timeouts;
            let timers = Timers {
                attempt: timeouts.attempt.min(remaining),
                headers: timeouts.headers.min(remaining),
                first_output: timeouts.first_output.min(remaining),
            };
            self.emit_start(index, retries > 0, now);
            let exchange = context.exchange(index, offer, &timers).await;
            let ended_at = context.now();
            match exchange {
                Exchange::Answered(answer, body) => {
                    let served = self.answered(index, hold, offer, &answer, body, (now, ended_at)).await?;
                    return Ok(TargetEnd::Ended(Ended::Whole(served, Some(answer), position > 0).into()));
                }
                Exchange::Collected(answer, completion) => {
                    let body = encode_body(context.caller, &completion, &context.stamp);
                    let served = self.answered(index, hold, offer, &answer, body, (now, ended_at)).await?;
                    return Ok(TargetEnd::Ended(Ended::Whole(served, Some(answer), position > 0).into()));
                }
                Exchange::Streaming(committed) => {
                    self.emit_output(index, (now, ended_at));
                    let commit = Commit {
                        index,
                        hold,
                        bound: offer.bound,
                        by_fallback: position > 0,
                        price: offer.price,
                        began: now,
                    };
                    return Ok(TargetEnd::Ended(Ended::Streaming(commit, committed).into()));
                }
                Exchange::Aborted { .. } | Exchange::Stranded => {
                    let code = if matches!(exchange, Exchange::Stranded) { Code::Internal } else { Code::Aborted };
                    // Once sent it may be billed. It is nobody's failure.
                    let sent = !matches!(exchange, Exchange::Aborted { sent: false });
                    let charge = if sent { Charge::Bound } else { Charge::Released };
                    let charged = self.settle(hold, charge, BreakerOutcome::Ignored, None).await;
                    self.emit_end(index, Some((code, None)), charged, (now, ended_at));
                    return Err(code.into());
                }
                Exchange::Failed(failure) => {
                    let times = (now, ended_at);
                    match self.failed(index, hold, failure, retries, rest, times).await {
                        Next::Again => retries = retries.saturating_add(1),
                        Next::Target => return Ok(TargetEnd::Next),
                        Next::Stop(error) => return Err(error),
                    }
                }
            }
        }
    }

    /// The ledger refused an attempt.
    fn refused(
        &mut self,
        index: usize,
        mut error: Error,
        offer: &Offer,
        rest: &[usize],
        offers: &[Offer],
    ) -> Result<TargetEnd<H::Chunks>> {
        let code = error.code;
        if matches!(error.detail, Detail::Budget { limit, .. } if limit < offer.bound) {
            error.retry_after = None; // no wait helps
        }
        let bound_of = |index: &usize| offers.get(*index).map(|offer| offer.bound);
        let cheaper = rest.iter().filter_map(bound_of).any(|bound| bound < offer.bound);
        let goes_on = match code {
            Code::BudgetExceeded => cheaper,
            _ => code.next_target() && !rest.is_empty() && !self.context.is_refused(),
        };
        // What the provider answered before says more than that there is no further attempt.
        let answered = self.primary.take();
        let error = self.note_failure(index, error, None);
        self.primary = answered.or_else(|| self.primary.take());
        match (goes_on, code) {
            (true, Code::BudgetExceeded) => Ok(TargetEnd::Cheaper),
            (true, _) => Ok(TargetEnd::Next),
            (false, _) => Err(self.give_up(error)),
        }
    }

    /// An attempt failed: settle it, then decide what comes next. Boxed, so that it is no part of what the first answer
    /// needs.
    #[inline(never)]
    fn failed<'a>(
        &'a mut self,
        index: usize,
        hold: Hold,
        failure: Failure,
        retries: u32,
        rest: &'a [usize],
        times: (Timestamp, Timestamp),
    ) -> Pin<Box<dyn Future<Output = Next> + 'a>> {
        of_the_rest(self.failed_at(index, hold, failure, retries, rest, times))
    }

    async fn failed_at(
        &mut self,
        index: usize,
        hold: Hold,
        failure: Failure,
        retries: u32,
        rest: &[usize],
        times: (Timestamp, Timestamp),
    ) -> Next {
        let (context, now) = (self.context.clone(), times.1);
        // A clock that was set back gives a request no more time than it ever had, nor what it holds.
        self.deadline = self.deadline.min(now.after(context.gate.config.timeouts.total));
        let charge = if failure.billed { Charge::Bound } else { Charge::Released };
        // A provider that says when to come back is not asked before, whether it is full or broken.
        let cools = matches!(failure.code, Code::UpstreamLimited | Code::UpstreamFailed);
        let cool_until = failure.wait.filter(|_| cools).map(|wait| now.after(wait));
        // Every timer is cut to the deadline.
        let late = matches!(failure.detail, Detail::Timeout(_)) && self.deadline <= now;
        let detail = if late { Detail::Timeout(TimeoutKind::Total) } else { failure.detail };
        let mut error = Error::new(failure.code).with(detail);
        error.retry_after = failure.wait;
        let outcome = if error.is_offline() { BreakerOutcome::Ignored } else { failure.code.breaker() };
        let charged = self.settle(hold, charge, outcome, cool_until).await;
        self.emit_end(index, Some((failure.code, failure.status)), charged, times);
        let error = self.note_failure(index, error, failure.status);
        let config = &context.gate.config.retry;
        let weighed = failure.wait.is_some_and(|wait| wait > config.short_wait && wait <= config.cap);
        let elsewhere = !rest.is_empty() && (!weighed || context.any_open(rest).await);
        let failed = Failed { code: failure.code, wait: failure.wait, stop: failure.stop };
        let position = Position { retries, remaining: self.deadline.since(now), elsewhere };
        let draw = context.draw();
        match next_step(config, failed, position, draw, &mut || context.may_retry(now)) {
            Step::Retry { wait, reason } => {
                self.emit_wait(index, wait, reason, now);
                if context.wait(wait, reason).await { Next::Again } else { Next::Stop(Code::Aborted.into()) }
            }
            Step::NextTarget => Next::Target,
            Step::Stop => Next::Stop(self.give_up(error)),
        }
    }

    pub(super) fn name(&self, index: usize) -> String {
        self.context.gate.config.targets.get(index).map(|target| target.name.clone()).unwrap_or_default()
    }
}

/// How a target was left.
enum TargetEnd<C> {
    /// With an answer, or the beginning of one.
    Ended(Box<Ended<C>>),
    /// For the next one.
    Next,
    /// For the next cheaper one.
    Cheaper,
}
