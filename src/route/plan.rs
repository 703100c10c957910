//! The plan: the targets able to take a request, in order.

/// What is known of one configured target and this request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// A key for its provider is at hand.
    pub keyed: bool,
    /// Its dialect can carry the request.
    pub able: bool,
    /// Its price is known, or the worst known price stands in for it.
    pub priced: bool,
    /// Every part of the request has a bound in its tokens.
    pub bounded: bool,
    /// The estimated input fits its context.
    pub fits: bool,
    /// It costs nothing.
    pub free: bool,
}

/// Why a target is not in the plan.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exclusion {
    /// No key.
    NoKey,
    /// Its dialect cannot carry something in the request.
    Unable,
    /// Its price is unknown, and an unknown price is never zero.
    NoPrice,
    /// The request has a part whose tokens have no bound there.
    Unbounded,
    /// The request is longer than its context.
    TooLong,
    /// It costs money and the plan begins free.
    PaidAfterFree,
}

impl Candidate {
    /// What keeps it out of every plan.
    #[must_use]
    pub fn exclusion(self) -> Option<Exclusion> {
        if !self.keyed {
            Some(Exclusion::NoKey)
        } else if !self.able {
            Some(Exclusion::Unable)
        } else if !self.priced {
            Some(Exclusion::NoPrice)
        } else if !self.bounded {
            Some(Exclusion::Unbounded)
        } else if !self.fits {
            Some(Exclusion::TooLong)
        } else {
            None
        }
    }
}

/// Orders the targets: the requested one first (else the configured order), without those that cannot
/// take the request. A plan whose first choice is free goes on to a paid target only if that is allowed:
/// nobody who chose a free model shall find a bill.
///
/// # Errors
/// Why the first choice was left out, if nothing is left.
pub fn plan(
    candidates: &[Candidate],
    requested: Option<usize>,
    allow_paid_fallback: bool,
) -> Result<Vec<usize>, Exclusion> {
    let rest = (0..candidates.len()).filter(|index| Some(*index) != requested);
    let mut first_choice_is_free = None;
    let mut first_exclusion = None;
    let mut plan = Vec::new();
    for index in requested.into_iter().chain(rest) {
        let Some(candidate) = candidates.get(index) else { continue };
        // The target that the user put first counts, whether or not it can be asked.
        let begins_free = *first_choice_is_free.get_or_insert(candidate.free);
        let paid_after_free =
            (begins_free && !candidate.free && !allow_paid_fallback).then_some(Exclusion::PaidAfterFree);
        match candidate.exclusion().or(paid_after_free) {
            None => plan.push(index),
            Some(exclusion) => {
                first_exclusion.get_or_insert(exclusion);
            }
        }
    }
    if plan.is_empty() { Err(first_exclusion.unwrap_or(Exclusion::NoKey)) } else { Ok(plan) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAID: Candidate = Candidate { keyed: true, able: true, priced: true, bounded: true, fits: true, free: false };
    const FREE: Candidate = Candidate { free: true, ..PAID };

    #[test]
    fn the_requested_target_goes_first() {
        assert_eq!(plan(&[PAID, PAID, FREE], None, false), Ok(vec![0, 1, 2]));
        assert_eq!(plan(&[PAID, PAID, FREE], Some(1), false), Ok(vec![1, 0, 2]));
    }

    #[test]
    fn a_free_plan_stays_free_unless_allowed() {
        assert_eq!(plan(&[FREE, PAID, FREE], None, false), Ok(vec![0, 2]));
        assert_eq!(plan(&[FREE, PAID], None, true), Ok(vec![0, 1]));
        let lost = Candidate { keyed: false, ..FREE };
        assert_eq!(plan(&[lost, PAID], None, false), Err(Exclusion::NoKey), "also when the free one has no key");
    }

    #[test]
    fn who_cannot_take_the_request_is_left_out() {
        let unable = [
            (Candidate { keyed: false, ..PAID }, Exclusion::NoKey),
            (Candidate { able: false, ..PAID }, Exclusion::Unable),
            (Candidate { priced: false, ..PAID }, Exclusion::NoPrice),
            (Candidate { bounded: false, ..PAID }, Exclusion::Unbounded),
            (Candidate { fits: false, ..PAID }, Exclusion::TooLong),
        ];
        for (candidate, exclusion) in unable {
            assert_eq!(plan(&[candidate, PAID], None, false), Ok(vec![1]));
            assert_eq!(plan(&[candidate], None, false), Err(exclusion));
        }
    }
}
