//! What the ledger is asked, and what it answers.

#[cfg(feature = "edge")]
use std::time::Duration;

#[cfg(feature = "edge")]
use super::edge::{CallerFigures, Errand};
#[cfg(feature = "edge")]
use crate::config::{BudgetScope, BudgetSpan};
#[cfg(feature = "edge")]
use crate::error::Allowance;
use crate::error::{BreakerOutcome, Result};
use crate::money::NanoUsd;
use crate::time::Timestamp;

/// Most commands of one [`Command::Together`].
#[cfg(feature = "edge")]
pub const MOST_TOGETHER: usize = 256;

/// One decision to take. Leases and cooldowns of more than 24 hours are shortened to that.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// May this attempt start? Reserves its bound, takes its permit and the request's slot: all or nothing.
    Admit {
        /// Whose request it is. At most 1,024 bytes.
        tenant: String,
        /// The target's stable name (provider, model, key): see [`with_key`](crate::admit::with_key). At most 1,028 bytes.
        target: String,
        /// The most the attempt can cost.
        bound: NanoUsd,
        /// When the attempt is given up as vanished.
        lease_until: Timestamp,
        /// The slot that an earlier attempt of the same request was given, or a mark. A refused attempt keeps it.
        slot: Option<u64>,
    },
    /// An attempt ended.
    Settle {
        /// As admitted.
        reservation: u64,
        /// What it cost.
        charge: Charge,
        /// What it says about its target's health.
        outcome: BreakerOutcome,
        /// The provider asked to wait until then.
        cool_until: Option<Timestamp>,
        /// The request is over, not only this attempt.
        end_slot: bool,
    },
    /// A request is over without a further attempt.
    EndSlot {
        /// As admitted.
        slot: u64,
    },
    /// What do the books say?
    Status,
    /// One of these on behalf of a caller, with its limits. Only an [`EdgeLedger`](super::edge::EdgeLedger) knows them;
    /// others answer `internal`.
    #[cfg(feature = "edge")]
    For(Box<Errand>),
    /// Several, decided one after the other. The reply is the last one's, with what came to pass in all of them.
    /// Not one of these in another, and at most [`MOST_TOGETHER`].
    #[cfg(feature = "edge")]
    Together(Vec<Self>),
    /// A marked admission, or one on behalf of a caller, whose reply got lost: admitted once, whether the first was decided
    /// or not. See [`Command::mark`].
    #[cfg(feature = "edge")]
    Again(Box<Self>),
    /// Of a caller: a slice of the budget and of its rate, to be spent elsewhere.
    #[cfg(feature = "edge")]
    Lease {
        /// As in `Admit`.
        tenant: String,
        /// The route whose requests it is for.
        route: String,
        /// What one request like the present one can cost.
        bound: NanoUsd,
        /// Of how many it would make use.
        requests: u64,
        /// For how long, at most.
        window: Duration,
        /// How long the last of its attempts may take after that.
        settles_within: Duration,
    },
    /// Of a caller: a slice is given back.
    #[cfg(feature = "edge")]
    Return {
        /// As leased.
        slice: u64,
        /// As leased.
        route: String,
        /// What its attempts cost.
        spent: NanoUsd,
        /// Requests that were not made.
        requests: u64,
    },
}

#[cfg(feature = "edge")]
impl Command {
    /// Moves its instants from the clock of whoever asks, which showed `asked_at`, to one that shows `now`: what is held
    /// is held for as long as was meant, however far apart the two are.
    pub(super) fn by_clock_of(&mut self, asked_at: Timestamp, now: Timestamp) {
        let moved = |at: Timestamp| now.after(at.since(asked_at));
        match self {
            Self::Admit { lease_until, .. } => *lease_until = moved(*lease_until),
            Self::Settle { cool_until, .. } => *cool_until = cool_until.map(moved),
            Self::For(errand) => {
                if let Some(command) = &mut errand.command {
                    command.by_clock_of(asked_at, now);
                }
            }
            Self::Together(commands) => {
                for command in commands {
                    command.by_clock_of(asked_at, now);
                }
            }
            Self::Again(command) => command.by_clock_of(asked_at, now),
            Self::EndSlot { .. } | Self::Status | Self::Lease { .. } | Self::Return { .. } => {}
        }
    }
}

/// What an attempt cost.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Charge {
    /// Nothing: known not to be billed.
    Released,
    /// The bill. Above the bound, the difference is recorded as overshoot.
    Actual(NanoUsd),
    /// Possibly billed: the bound. A bill that comes within 24 hours replaces it, once.
    Bound,
}

/// The answer to a [`Command`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Reply {
    /// The decision. A refusal says when to come back, where that is known.
    ///
    /// - `upstream_limited`: the target cools.
    /// - `circuit_open`: it is open, or its probe is running.
    /// - `queue_full`: every slot is held.
    /// - `rate_limited`: of the caller, if `entered` says that it did not enter; else of the target.
    /// - `budget_exceeded`, with its figures: the bound does not fit until the reset.
    /// - `config_invalid`, naming `budget.timeZone`: the zone is not known.
    /// - `internal`: the stored ledger or the command could not be read, or a name is too long.
    pub result: Result<Outcome>,
    /// What else came to pass, in order.
    pub notices: Vec<Notice>,
    /// Seconds the budget's zone is ahead of UTC, if the decision asked for it.
    pub offset: Option<i32>,
    /// Whether the request entered, if that was asked.
    #[cfg(feature = "edge")]
    pub entered: Option<Entered>,
}

impl Reply {
    /// A decision with nothing beside it.
    #[must_use]
    pub const fn of(result: Result<Outcome>) -> Self {
        Self {
            result,
            notices: Vec::new(),
            offset: None,
            #[cfg(feature = "edge")]
            entered: None,
        }
    }
}

/// Whether a request entered, and what is left of its caller's rate.
#[cfg(feature = "edge")]
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entered {
    /// The tightest of the rates it was counted by.
    pub allowance: Allowance,
    /// Whether it may go on.
    pub granted: bool,
}

/// What was decided.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// The attempt may start.
    Admitted {
        /// Names the attempt from now on. Never used twice.
        reservation: u64,
        /// Names the request's slot: hand it in with the next attempt.
        slot: u64,
        /// Whether it is the one attempt of a half-open circuit.
        probe: bool,
        /// The state of the circuit it was admitted in.
        generation: u64,
    },
    /// The attempt is settled.
    Settled {
        /// What its period was charged for it in all.
        charged: NanoUsd,
    },
    /// The slot is free.
    SlotEnded,
    /// Nothing is held under that id, and nothing was changed: it ended before, or its lease ran out
    /// and it was charged its bound.
    NotHeld,
    /// The figures.
    Status(Figures),
    /// The request may go on; nothing else was asked.
    #[cfg(feature = "edge")]
    Entered,
    /// The caller's figures.
    #[cfg(feature = "edge")]
    Caller(Box<CallerFigures>),
    /// A slice. It counts as reserved until it is given back.
    #[cfg(feature = "edge")]
    Leased {
        /// Its name. Never used twice.
        slice: u64,
        /// How much may be spent of it.
        budget: NanoUsd,
        /// How many requests may be made.
        requests: u64,
        /// For how long.
        window: Duration,
    },
    /// There is too little to share, or limits that each request has to be asked about.
    #[cfg(feature = "edge")]
    NotLeased,
}

/// Something that happened beside the decision.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Notice {
    /// A percentage of the cap is reached; told once per period, and again only after the cap was raised.
    Threshold {
        /// The local day: the attempts of yesterday are settled in yesterday's.
        period: i64,
        /// The threshold.
        percent: u32,
        /// Settled so far.
        spent: NanoUsd,
        /// The cap.
        limit: NanoUsd,
    },
    /// The same of a cap beside the organisation's own.
    #[cfg(feature = "edge")]
    BudgetOf {
        /// Whose spending it counts.
        of: BudgetScope,
        /// Its period.
        per: BudgetSpan,
        /// The user or the token.
        who: Option<String>,
        /// The period: days, weeks from Monday, or months, the months counted from year 0.
        period: i64,
        /// The threshold.
        percent: u32,
        /// Settled so far.
        spent: NanoUsd,
        /// The cap, with what was rolled over.
        limit: NanoUsd,
    },
    /// A circuit opened.
    CircuitOpen {
        /// Whose.
        tenant: String,
        /// At which target.
        target: String,
        /// When it permits a probe.
        until: Timestamp,
    },
    /// The first probe of an open circuit started.
    CircuitHalfOpen {
        /// Whose.
        tenant: String,
        /// At which target.
        target: String,
    },
    /// A probe succeeded.
    CircuitClosed {
        /// Whose.
        tenant: String,
        /// At which target.
        target: String,
    },
    /// A bill was above its bound.
    Overshoot {
        /// The local day that it was charged to.
        period: i64,
        /// By how much.
        amount: NanoUsd,
    },
    /// An attempt vanished and was charged its bound.
    LeaseExpired {
        /// Its name.
        reservation: u64,
    },
}

/// The present state of the ledger, for people and for health checks.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Figures {
    /// The cap of a period.
    pub limit: NanoUsd,
    /// Settled in the present period.
    pub spent: NanoUsd,
    /// Held by live attempts that were admitted in it.
    pub reserved: NanoUsd,
    /// Part of what is spent that was above its bounds.
    pub overshoot: NanoUsd,
    /// When the next period begins.
    pub resets_at: Timestamp,
    /// Requests that hold a slot.
    pub in_flight: u32,
    /// Targets about which something is remembered, by tenant and name.
    pub targets: Vec<TargetFigures>,
}

/// One tenant's view of one target.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TargetFigures {
    /// Whose.
    pub tenant: String,
    /// The target's stable name, its key's tag in it.
    pub target: String,
    /// Where its circuit stands. An open circuit whose time is up counts as half-open.
    pub state: CircuitState,
    /// Consecutive failures.
    pub failures: u32,
    /// When an open circuit permits a probe.
    pub open_until: Option<Timestamp>,
    /// Until when the provider asked to wait.
    pub cooling_until: Option<Timestamp>,
}

/// Where a circuit stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CircuitState {
    /// Attempts pass.
    Closed,
    /// Attempts are refused.
    Open,
    /// One probe passes.
    HalfOpen,
}

impl CircuitState {
    /// The stable name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half-open",
        }
    }
}
