//! Each decision by itself.

use std::time::Duration;

use super::shelf::{Shelf, ask};
use crate::config::{Priority, QueueConfig};
use crate::error::Code;
use crate::queue::{Item, Lane, Lease, Outcome, State};
use crate::time::Timestamp;

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_000_000 + millis)
}

fn failed(code: Code) -> Outcome {
    Outcome::Failed { code, wait: None }
}

#[test]
fn the_urgent_go_first_and_equals_in_their_order() {
    let mut shelf = Shelf::default();
    let priorities = [Priority::Low, Priority::Normal, Priority::Critical, Priority::High, Priority::Critical];
    for (index, priority) in priorities.into_iter().enumerate() {
        shelf.enqueue(&ask(priority), None, 0, at(index as i64)).unwrap();
    }
    let order: Vec<_> =
        std::iter::from_fn(|| shelf.lease(1, at(10)).map(|(item, _)| item.enqueued_at.as_millis() - 1_000_000))
            .collect();
    assert_eq!(order, [2, 4, 3, 1, 0]);
}

#[test]
fn the_low_pass_those_who_come_later_than_their_head_start() {
    let mut shelf = Shelf::default();
    let low = shelf.enqueue(&ask(Priority::Low), None, 0, at(0)).unwrap();
    let before = shelf.enqueue(&ask(Priority::Critical), None, 0, at(89_999)).unwrap();
    let after = shelf.enqueue(&ask(Priority::Critical), None, 0, at(90_001)).unwrap();
    let order: Vec<_> = std::iter::from_fn(|| shelf.lease(1, at(90_002)).map(|(item, _)| item.arrival)).collect();
    assert_eq!(order, [before.arrival, low.arrival, after.arrival]);
}

#[test]
fn a_full_queue_refuses_until_something_ends() {
    let mut shelf = Shelf::with(QueueConfig { capacity: 2, ..QueueConfig::default() });
    let first = shelf.enqueue(&ask(Priority::Low), None, 0, at(0)).unwrap();
    shelf.enqueue(&ask(Priority::Low), None, 0, at(0)).unwrap();
    let full = shelf.enqueue(&ask(Priority::Critical), None, 0, at(0)).unwrap_err();
    assert_eq!((full.code, full.retry_after), (Code::QueueFull, Some(Duration::from_secs(1))));
    shelf.put(&first.cancel(at(1)));
    shelf.enqueue(&ask(Priority::Critical), None, 0, at(1)).unwrap();
}

#[test]
fn a_dead_letter_is_queued_again_once_there_is_room() {
    let mut shelf = Shelf::with(QueueConfig { capacity: 1, ..QueueConfig::default() });
    let arrival = shelf.enqueue(&ask(Priority::Low), None, 0, at(0)).unwrap().arrival;
    let (_, lease) = shelf.lease(1, at(0)).unwrap();
    let dead = shelf.finish(arrival, lease, failed(Code::InvalidRequest), at(0)).unwrap();
    let other = shelf.enqueue(&ask(Priority::Low), None, 0, at(1)).unwrap();
    let full = dead.revive(shelf.room(), &shelf.config, at(2)).unwrap_err();
    assert_eq!((full.code, full.retry_after), (Code::QueueFull, Some(Duration::from_secs(1))));
    shelf.put(&other.cancel(at(3)));
    let revived = dead.revive(shelf.room(), &shelf.config, at(4)).unwrap();
    assert_eq!((revived.state, revived.deadline), (State::Queued, at(3_600_004)));
    assert!(revived.order > other.arrival, "behind all that is there");
    assert_eq!(revived.revive(shelf.room(), &shelf.config, at(5)).unwrap_err().http_status(), 409);
}

#[test]
fn the_same_key_is_the_same_request() {
    let mut shelf = Shelf::default();
    let first = shelf.enqueue(&ask(Priority::Low), Some([1; 16]), 9, at(0)).unwrap();
    assert_eq!(shelf.enqueue(&ask(Priority::Low), Some([1; 16]), 9, at(5)).unwrap(), first);
    assert_ne!(shelf.enqueue(&ask(Priority::Low), Some([2; 16]), 9, at(5)).unwrap().arrival, first.arrival);
    let other = shelf.enqueue(&ask(Priority::Low), Some([1; 16]), 8, at(5)).unwrap_err();
    assert_eq!((other.code, other.http_status()), (Code::InvalidRequest, 422));
    assert_eq!(shelf.items().len(), 2);
}

#[test]
fn one_run_records_and_a_late_one_does_not() {
    let mut shelf = Shelf::default();
    shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap();
    let (item, first) = shelf.lease(1, at(0)).unwrap();
    assert_eq!(shelf.lease(2, at(0)), None, "it is leased");
    shelf.sweep(at(179_999));
    assert!(shelf.item(item.arrival).unwrap().renew(first, &shelf.config, at(179_999)).is_some());
    shelf.sweep(at(180_000));
    let (_, second) = shelf.lease(1, at(180_000)).unwrap();
    assert_eq!(shelf.finish(item.arrival, first, Outcome::Answered, at(180_001)), None, "its lease ran out");
    assert!(shelf.item(item.arrival).unwrap().renew(first, &shelf.config, at(180_001)).is_none());
    let stranger = Lease { holder: 2, ..second };
    assert_eq!(shelf.finish(item.arrival, stranger, Outcome::Answered, at(180_001)), None);
    let done = shelf.finish(item.arrival, second, Outcome::Answered, at(180_002)).unwrap();
    assert_eq!((done.state, done.failures, done.attempts), (State::Completed, 1, 2));
    assert_eq!(shelf.finish(item.arrival, second, Outcome::Answered, at(180_003)), None, "once");
}

#[test]
fn a_run_in_a_tab_that_is_woken_once_a_minute_is_nobody_elses() {
    let mut shelf = Shelf::default();
    shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap();
    let (item, lease) = shelf.lease(1, at(500)).unwrap();
    let third = i64::try_from(shelf.config.lease.as_millis()).unwrap() / 3;
    // The timer fires at the first whole minute after its time, or a second later; another tab looks all the time.
    let mut due = 500 + third;
    for now in (0..900_000).step_by(250) {
        shelf.sweep(at(now));
        let wakes_at = now / 60_000 % 2 * 1_000;
        if now % 60_000 == wakes_at && now >= due {
            let renewed = shelf.item(item.arrival).unwrap().renew(lease, &shelf.config, at(now + 40));
            shelf.put(&renewed.expect("it is its own still"));
            due = now + third;
        }
    }
    let done = shelf.finish(item.arrival, lease, Outcome::Answered, at(900_000)).unwrap();
    assert_eq!((done.state, done.failures, done.attempts), (State::Completed, 0, 1));
}

#[test]
fn transient_failures_back_off_and_end_as_a_dead_letter() {
    let mut shelf = Shelf::default();
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap().arrival;
    let mut now = 0;
    for (failure, wait) in [(1, 500), (2, 1_000), (3, 2_000)] {
        let (_, lease) = shelf.lease(1, at(now)).unwrap();
        let item = shelf.finish(arrival, lease, failed(Code::UpstreamFailed), at(now)).unwrap();
        assert_eq!(item.state, State::Delayed { until: at(now + wait), code: Code::UpstreamFailed });
        assert_eq!(item.failures, failure);
        shelf.sweep(at(now + wait - 1));
        assert_eq!(shelf.lease(1, at(now + wait - 1)), None);
        now += wait;
        shelf.sweep(at(now));
    }
    let (_, lease) = shelf.lease(1, at(now)).unwrap();
    let dead = shelf.finish(arrival, lease, failed(Code::UpstreamFailed), at(now)).unwrap();
    assert_eq!(dead.state, State::Dead { code: Code::UpstreamFailed });
    assert!(dead.keeps_ask());

    let revived = dead.revive(shelf.room(), &shelf.config, at(now + 1)).unwrap();
    assert_eq!((revived.state, revived.failures, revived.attempts), (State::Queued, 0, 4));
    assert_eq!(revived.deadline, at(now + 1 + 3_600_000));
    assert_eq!(revived.revive(shelf.room(), &shelf.config, at(now)).unwrap_err().http_status(), 409);
    shelf.put(&revived);
    assert_eq!(shelf.lease(1, at(now + 1)).unwrap().1.attempt, 5, "no run is named twice");
}

#[test]
fn a_stated_wait_that_is_longer_counts() {
    let mut shelf = Shelf::default();
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap().arrival;
    let (_, lease) = shelf.lease(1, at(0)).unwrap();
    let wait = Some(Duration::from_secs(10));
    let failed = Outcome::Failed { code: Code::UpstreamFailed, wait };
    let item = shelf.finish(arrival, lease, failed, at(0)).unwrap();
    assert_eq!(item.state, State::Delayed { until: at(10_000), code: Code::UpstreamFailed });
}

#[test]
fn what_stays_wrong_is_not_tried_again_and_refusals_of_our_own_are_not_counted() {
    let mut shelf = Shelf::default();
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap().arrival;
    let (_, lease) = shelf.lease(1, at(0)).unwrap();
    let wait = Some(Duration::from_secs(600));
    let refused = shelf.finish(arrival, lease, Outcome::Failed { code: Code::RateLimited, wait }, at(0)).unwrap();
    assert_eq!((refused.state, refused.failures), (State::Delayed { until: at(600_000), code: Code::RateLimited }, 0));
    shelf.sweep(at(600_000));
    let (_, lease) = shelf.lease(1, at(600_000)).unwrap();
    let wait = Some(Duration::from_secs(3_000));
    let given_up = Outcome::Failed { code: Code::RateLimited, wait };
    let dead = shelf.item(arrival).unwrap().finish(lease, given_up, 0, &shelf.config, at(600_000)).unwrap();
    assert_eq!(dead.state, State::Dead { code: Code::RateLimited }, "the deadline comes before the wait is over");
    let dead = shelf.finish(arrival, lease, failed(Code::InvalidRequest), at(600_001)).unwrap();
    assert_eq!(dead.state, State::Dead { code: Code::InvalidRequest });
}

#[test]
fn a_budget_is_asked_again_before_it_begins_anew() {
    let mut shelf = Shelf::default();
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap().arrival;
    let (mut now, mut asked, mut longest) = (0, 0, 0);
    // A day, and the deadline is in an hour: what others hold may be free in a moment.
    let wait = Some(Duration::from_secs(86_400));
    let ended = loop {
        let (_, lease) = shelf.lease(1, at(now)).unwrap();
        let item = shelf.finish(arrival, lease, Outcome::Failed { code: Code::BudgetExceeded, wait }, at(now)).unwrap();
        asked += 1;
        assert_eq!(item.failures, 0);
        let State::Delayed { until, code: Code::BudgetExceeded } = item.state else { break item };
        let next = until.as_millis() - at(0).as_millis();
        longest = longest.max(next - now);
        now = next;
        shelf.sweep(at(now));
    };
    assert_eq!(ended.state, State::Dead { code: Code::BudgetExceeded });
    assert!((15..40).contains(&asked), "{asked}");
    assert!((300_000..=600_000).contains(&longest) && now > 2_900_000, "{longest} {now}");
    let soon = Outcome::Failed { code: Code::BudgetExceeded, wait: Some(Duration::from_millis(300)) };
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(now)).unwrap().arrival;
    let (_, lease) = shelf.lease(1, at(now)).unwrap();
    let item = shelf.finish(arrival, lease, soon, at(now)).unwrap();
    let State::Delayed { until, .. } = item.state else { panic!("{item:?}") };
    assert_eq!(until, at(now + 300), "no longer than it says");
}

#[test]
fn who_gives_back_is_not_counted_and_who_vanishes_is() {
    let mut shelf = Shelf::default();
    let arrival = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap().arrival;
    let (_, lease) = shelf.lease(1, at(0)).unwrap();
    let back = shelf.finish(arrival, lease, Outcome::GivenBack, at(1)).unwrap();
    assert_eq!((back.state, back.failures), (State::Queued, 0));
    for vanished in 1..=4 {
        let (item, _) = shelf.lease(1, at(2)).unwrap();
        let back = item.reclaim(at(2));
        let expected = if vanished == 4 { State::Dead { code: Code::Internal } } else { State::Queued };
        assert_eq!((back.state, back.failures), (expected, vanished), "a killer ends");
        shelf.put(&back);
    }
}

#[test]
fn a_deadline_ends_whatever_waits_or_runs() {
    let config = QueueConfig::default();
    let mut shelf = Shelf::default();
    let queued = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap();
    let dead = State::Dead { code: Code::Timeout };
    let hour = at(3_600_000);
    assert_eq!(queued.index(&config).due, hour);
    assert_eq!(queued.sweep(&config, at(3_599_999)).unwrap(), queued);
    assert_eq!(queued.sweep(&config, hour).unwrap().state, dead);
    assert_eq!(queued.lease(1, &config, hour).state, dead);
    let running = queued.lease(1, &config, at(3_590_000));
    assert_eq!(running.index(&config).due, hour, "before its lease runs out");
    assert_eq!(running.sweep(&config, hour).unwrap().state, dead);
}

#[test]
fn what_has_ended_keeps_no_question_and_is_erased() {
    let config = QueueConfig::default();
    let mut shelf = Shelf::default();
    let queued = shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap();
    let cancelled = queued.cancel(at(10));
    assert_eq!((cancelled.state, cancelled.keeps_ask()), (State::Cancelled, false));
    assert_eq!(cancelled.cancel(at(20)), cancelled);
    let day = 86_400_000;
    assert_eq!(cancelled.index(&config).due, at(10 + day));
    assert_eq!(cancelled.sweep(&config, at(9 + day)).unwrap(), cancelled);
    assert_eq!(cancelled.sweep(&config, at(10 + day)), None);
    let running = queued.lease(1, &config, at(10));
    let done = running.finish(Lease { holder: 1, attempt: 1 }, Outcome::Answered, 0, &config, at(20)).unwrap();
    assert!(!done.keeps_ask());
    assert_eq!(done.cancel(at(30)), done);
}

#[test]
fn only_who_knows_the_id_and_is_the_user_sees_it() {
    let mut shelf = Shelf::default();
    let item = Item { owner: Some([1; 16]), ..shelf.enqueue(&ask(Priority::Normal), None, 0, at(0)).unwrap() };
    let ticket = item.ticket(0);
    assert!(item.is_seen_by(&ticket, None) && item.is_seen_by(&ticket, Some([1; 16])));
    assert!(!item.is_seen_by(&ticket, Some([2; 16])));
    for bit in 0..ticket.secret.len() * 8 {
        let mut other = ticket;
        other.secret[bit / 8] ^= 1 << (bit % 8);
        assert!(!item.is_seen_by(&other, None));
    }
}

#[test]
fn a_row_that_is_damaged_or_of_another_version_is_refused() {
    let mut shelf = Shelf::default();
    let row = shelf.enqueue(&ask(Priority::Normal), Some([1; 16]), 0, at(0)).unwrap().encode();
    assert!(Item::decode(&row).is_ok());
    let other = [&[row[0] + 1], &row[1..]].concat();
    assert_eq!(Item::decode(&other).unwrap_err().code, Code::VaultCorrupt);
    assert!(Item::decode(&row[..row.len() - 1]).is_err(), "cut");
    assert!(Item::decode(&[&row[..], &[0]].concat()).is_err(), "more than there was");
}

#[test]
fn lanes_have_the_numbers_that_stores_know() {
    let all = [Lane::Queued, Lane::Delayed, Lane::Running, Lane::Completed, Lane::Dead, Lane::Cancelled];
    assert_eq!(all.map(|lane| lane as u8), [0, 1, 2, 3, 4, 5]);
}

#[test]
fn a_clock_set_back_keeps_nothing_waiting_or_kept_until_it_is_where_it_was() {
    let day = 86_400_000;
    let mut shelf = Shelf::default();
    let item = shelf.enqueue(&ask(Priority::Normal), None, 0, at(day)).unwrap();
    let (leased, lease) = shelf.lease(1, at(day)).unwrap();
    let config = QueueConfig::default();
    let limited = Outcome::Failed { code: Code::UpstreamLimited, wait: Some(Duration::from_secs(90)) };
    let delayed = leased.finish(lease, limited, 0, &config, at(day)).unwrap();
    assert_eq!(delayed.index(&config).due, at(day + 90_000));
    let back = delayed.set_back(at(day + 10_000), at(10_000)).unwrap();
    assert_eq!((back.index(&config).due, back.index(&config).lane), (at(90_000), Lane::Delayed));
    assert_eq!(back.set_back(at(day + 10_000), at(10_000)), None, "what waits by the new time is left as it is");

    let ended = leased.finish(lease, Outcome::Answered, 0, &config, at(day)).unwrap();
    let back = ended.set_back(at(day), at(0)).unwrap();
    assert_eq!(back.index(&config).due, at(0).after(config.ttl));
    assert_eq!(
        (back.set_back(at(day), at(0)), item.set_back(at(day), at(0)), leased.set_back(at(day), at(0))),
        (None, None, None)
    );
}
