//! What an attempt is charged, and whether its answer is kept.

use super::{Commit, Run};
use crate::admit::Charge;
use crate::cache::{self, AnswerFacts, Controls, may_store};
use crate::error::{BreakerOutcome, Code, Detail, Error, Result, TimeoutKind};
use crate::gateway::Host;
use crate::gateway::answer::{CostSource, Served};
use crate::gateway::context::{Context, Hold, StreamEnd};
use crate::gateway::offers::Offer;
use crate::gateway::prepare::Prepared;
#[cfg(feature = "edge")]
use crate::gateway::standing::Standing;
use crate::money::NanoUsd;
use crate::price::{self, Price};
use crate::provider::Answer;
use crate::time::Timestamp;

/// Keeps an answer, if it may be kept.
pub(in crate::gateway) fn store<H: Host>(
    context: &Context<H>,
    prepared: &Prepared,
    controls: &Controls,
    served: &Served,
    answer: &Answer,
    by_fallback: bool,
    now: Timestamp,
) {
    let config = &context.gate.config.cache;
    let facts = AnswerFacts {
        // What has no neutral form would be missing where it is given again.
        is_complete: answer.complete && !answer.lossy,
        calls_tools: answer.tool_calls,
        is_error: false,
        by_fallback,
        is_sampled: prepared.facts.sampled,
    };
    if may_store(&facts, config, controls) {
        let kept = cache::Answer {
            body: served.body.clone(),
            target: served.target.clone(),
            by_fallback,
            cost: served.own_cost,
            usage: served.usage,
        };
        let ttl = controls.ttl(config);
        context.gate.state.borrow_mut().cache.store(prepared.fingerprint, kept, ttl, now);
        // Looks the answer up again: it may not have been kept.
        #[cfg(feature = "edge")]
        context.gate.shelve(&prepared.fingerprint, ttl);
    }
}

impl<H: Host> Run<H> {
    /// A target answered: settle the bill.
    pub(super) async fn answered(
        &mut self,
        index: usize,
        hold: Hold,
        offer: &Offer,
        answer: &Answer,
        body: String,
        times: (Timestamp, Timestamp),
    ) -> Result<Served> {
        let (charge, cost_source) = bill(answer, &offer.price);
        self.use_tokens(answer);
        let charged = self.settle(hold, charge, BreakerOutcome::Success, None).await;
        self.emit_end(index, None, charged, times);
        if times.1 >= hold.lease_until {
            // The page was frozen past its lease: the ledger has given up on this request, so does it.
            return Err(self.give_up(Error::new(Code::Timeout).with(Detail::Timeout(TimeoutKind::Total))));
        }
        Ok(Served {
            body: body.into(),
            target: self.name(index),
            attempts: self.attempts,
            usage: answer.usage.unwrap_or_default(),
            cost: self.cost,
            own_cost: charged,
            cost_source,
            degraded: false,
            #[cfg(feature = "dialects")]
            left_out: answer.left_out,
            #[cfg(feature = "edge")]
            tried: self.failed.as_slice().into(),
        })
    }

    /// Ends a stream that has committed: settles its bill and its target's health, gives the slot back.
    /// Returns the end that counts (in a replay, the recorded one) and where the cost comes from.
    pub(in crate::gateway) async fn close(
        &mut self,
        commit: &Commit,
        end: StreamEnd,
        answer: &Answer,
    ) -> (StreamEnd, CostSource) {
        let (end, answer) = self.context.stream_end(end, answer);
        let now = self.context.now();
        let (outcome, code) = match end {
            StreamEnd::Complete => (BreakerOutcome::Success, None),
            StreamEnd::Cut => (BreakerOutcome::Failure, Some(Code::StreamInterrupted)),
            StreamEnd::Unread => (BreakerOutcome::Ignored, Some(Code::StreamInterrupted)),
            StreamEnd::Left => (BreakerOutcome::Ignored, Some(Code::Aborted)),
        };
        let (charge, source) = match end {
            StreamEnd::Complete => {
                self.use_tokens(&answer);
                bill(&answer, &commit.price)
            }
            // Usage before the end is no usage: providers count on, and some bill the whole answer.
            StreamEnd::Cut | StreamEnd::Unread | StreamEnd::Left => (Charge::Bound, CostSource::Estimated),
        };
        let charged = self.context.settle(commit.hold, charge, outcome, None, true).await;
        self.cost = self.cost.saturating_add(charged);
        self.emit_end(commit.index, code.map(|code| (code, None)), charged, (commit.began, now));
        match code {
            None => self.note_end(&self.name(commit.index), self.cost),
            Some(code) => {
                let fields = ["end".into(), code.as_str().into(), self.attempts.into()];
                self.context.tape.borrow_mut().line(&fields);
            }
        }
        (end, source)
    }

    /// Tells the caller's rate of tokens what was used, with the settlement that follows.
    #[cfg(feature = "edge")]
    fn use_tokens(&self, answer: &Answer) {
        let context = &self.context;
        let limited = |standing: &Standing| standing.limits_tokens(&context.gate.config.edge);
        if let Some(standing) = context.standing.as_ref().filter(|standing| limited(standing)) {
            standing.use_tokens(answer.usage.as_ref());
        }
    }

    #[cfg(not(feature = "edge"))]
    #[expect(clippy::unused_self, reason = "there are no limits by caller in this build")]
    const fn use_tokens(&self, _: &Answer) {}

    pub(super) async fn settle(
        &mut self,
        hold: Hold,
        charge: Charge,
        outcome: BreakerOutcome,
        cool_until: Option<Timestamp>,
    ) -> NanoUsd {
        // A success ends the request, so its slot goes back in the same decision.
        let end_slot = outcome == BreakerOutcome::Success;
        let charged = self.context.settle(hold, charge, outcome, cool_until, end_slot).await;
        self.cost = self.cost.saturating_add(charged);
        charged
    }
}

/// What an answer is charged.
fn bill(answer: &Answer, price: &Price) -> (Charge, CostSource) {
    match (answer.cost, &answer.usage) {
        (Some(cost), _) => (Charge::Actual(cost), CostSource::Reported),
        (None, Some(usage)) => {
            let cost = price::cost(price, usage);
            let cost =
                if answer.percent == 0 { cost } else { cost.percent(answer.percent).saturating_add(NanoUsd::new(1)) };
            (Charge::Actual(cost), CostSource::Computed)
        }
        // Unknown is never zero.
        (None, None) => (Charge::Bound, CostSource::Estimated),
    }
}
