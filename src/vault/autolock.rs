//! When an open vault locks itself: nobody was there for a while, or the page was hidden for a while, or is put to sleep.

use std::time::Duration;

use crate::config::AutoLockConfig;
use crate::time::Timestamp;

/// What the vault is told of the person.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Sign {
    /// A key was pressed, a pointer used, a request made.
    Active,
    /// The page is not seen any more.
    Hidden,
    /// The page is seen again.
    Shown,
    /// The page is put to sleep: no timer runs from now on.
    Frozen,
}

impl Sign {
    /// The sign of a name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "active" => Self::Active,
            "hidden" => Self::Hidden,
            "shown" => Self::Shown,
            "frozen" => Self::Frozen,
            _ => return None,
        })
    }
}

/// What is known of the person.
#[derive(Clone, Copy, Debug, Default)]
pub struct Presence {
    active_at: Timestamp,
    hidden_at: Option<Timestamp>,
    frozen: bool,
    /// The time had run out when the next sign came.
    overdue: bool,
}

impl Presence {
    /// The vault was unlocked: somebody is there.
    pub fn unlocked(&mut self, now: Timestamp) {
        *self = Self { active_at: now, hidden_at: self.hidden_at.map(|_| now), frozen: false, overdue: false };
    }

    /// Takes a sign in. A time that has run out stays so: whoever comes to a computer that slept is not who left it.
    pub fn tell(&mut self, sign: Sign, rules: &AutoLockConfig, now: Timestamp) {
        self.overdue = self.due(rules, now).is_some_and(|left| left.is_zero());
        match sign {
            Sign::Active => (self.active_at, self.frozen) = (now, false),
            Sign::Hidden => self.hidden_at = self.hidden_at.or(Some(now)),
            Sign::Shown => (self.active_at, self.hidden_at, self.frozen) = (now, None, false),
            Sign::Frozen => self.frozen = true,
        }
    }

    /// A request used a key: whoever made it was there.
    pub fn used(&mut self, at: Timestamp) {
        self.active_at = self.active_at.max(at);
    }

    /// How long until the vault locks, as things stand: zero for now, `None` for never.
    pub fn due(&mut self, rules: &AutoLockConfig, now: Timestamp) -> Option<Duration> {
        // A clock that was set back begins the waits anew, once: else they would last until it is where it was.
        self.active_at = self.active_at.min(now);
        self.hidden_at = self.hidden_at.map(|since| since.min(now));
        let frozen = (self.overdue || rules.frozen && self.frozen).then_some(Duration::ZERO);
        let left = |since: Timestamp, span: Duration| span.saturating_sub(now.since(since));
        let set = |span: Duration| (!span.is_zero()).then_some(span);
        let idle = set(rules.idle).map(|span| left(self.active_at, span));
        let hidden = self.hidden_at.zip(set(rules.hidden)).map(|(since, span)| left(since, span));
        [frozen, idle, hidden].into_iter().flatten().min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);
    const RULES: AutoLockConfig = AutoLockConfig { idle: Duration::from_secs(600), hidden: MINUTE, frozen: true };
    const START: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    fn present() -> Presence {
        let mut presence = Presence::default();
        presence.unlocked(START);
        presence
    }

    #[test]
    fn idle_locks_after_its_time_and_any_sign_begins_it_anew() {
        let mut presence = present();
        assert_eq!(presence.due(&RULES, START), Some(MINUTE * 10));
        let later = START.after(MINUTE * 9);
        assert_eq!(presence.due(&RULES, later), Some(MINUTE));
        presence.tell(Sign::Active, &RULES, later);
        assert_eq!(presence.due(&RULES, later), Some(MINUTE * 10));
        assert_eq!(presence.due(&RULES, later.after(MINUTE * 11)), Some(Duration::ZERO));
        assert_eq!(presence.due(&AutoLockConfig { idle: Duration::ZERO, ..RULES }, later), None);
    }

    #[test]
    fn a_request_begins_the_idle_time_anew_and_one_told_late_shortens_nothing() {
        let mut presence = present();
        presence.used(START.after(MINUTE * 9));
        presence.used(START.after(MINUTE * 3));
        assert_eq!(presence.due(&RULES, START.after(MINUTE * 10)), Some(MINUTE * 9));
    }

    #[test]
    fn hidden_counts_from_its_beginning_until_shown() {
        let mut presence = present();
        presence.tell(Sign::Hidden, &RULES, START);
        presence.tell(Sign::Hidden, &RULES, START.after(MINUTE / 2));
        // A request that runs in a hidden page is no person.
        presence.used(START.after(MINUTE * 3 / 4));
        assert_eq!(presence.due(&RULES, START.after(MINUTE)), Some(Duration::ZERO));
        assert_eq!(presence.due(&AutoLockConfig { hidden: Duration::ZERO, ..RULES }, START), Some(MINUTE * 10));
        let back = START.after(MINUTE * 3 / 4);
        presence.tell(Sign::Shown, &RULES, back);
        assert_eq!(presence.due(&RULES, back.after(MINUTE)), Some(MINUTE * 9));
    }

    #[test]
    fn sleep_locks_at_once() {
        let mut presence = present();
        presence.tell(Sign::Frozen, &RULES, START);
        assert_eq!(presence.due(&RULES, START), Some(Duration::ZERO));
        let lax = AutoLockConfig { frozen: false, ..RULES };
        assert_eq!(presence.due(&lax, START), Some(MINUTE * 10));
        presence.tell(Sign::Shown, &lax, START);
        assert_eq!(presence.due(&RULES, START), Some(MINUTE * 10));
    }

    #[test]
    fn a_sign_after_a_time_that_ran_out_asleep_undoes_nothing_and_only_an_unlock_does() {
        for (asleep, sign) in [(10, Sign::Active), (10, Sign::Shown), (10, Sign::Hidden), (1, Sign::Shown)] {
            let mut presence = present();
            presence.tell(Sign::Hidden, &RULES, START);
            let woken = START.after(MINUTE * asleep);
            presence.tell(sign, &RULES, woken);
            assert_eq!(presence.due(&RULES, woken), Some(Duration::ZERO), "{sign:?}");
            presence.tell(Sign::Active, &RULES, woken);
            assert_eq!(presence.due(&RULES, woken), Some(Duration::ZERO), "{sign:?}");
            presence.unlocked(woken);
            presence.tell(Sign::Shown, &RULES, woken);
            assert_eq!(presence.due(&RULES, woken), Some(MINUTE * 10), "{sign:?}");
        }
    }

    #[test]
    fn a_clock_set_back_does_not_lock_early() {
        assert_eq!(present().due(&RULES, Timestamp::EPOCH), Some(MINUTE * 10));
    }

    #[test]
    fn nor_does_it_keep_a_vault_open_until_it_is_where_it_was() {
        let yesterday = START.before(MINUTE * 60 * 24);
        let mut presence = present();
        presence.due(&RULES, yesterday);
        assert_eq!(presence.due(&RULES, yesterday.after(MINUTE * 9)), Some(MINUTE));
        assert_eq!(presence.due(&RULES, yesterday.after(MINUTE * 10)), Some(Duration::ZERO));

        let mut presence = present();
        presence.tell(Sign::Hidden, &RULES, START);
        presence.due(&RULES, yesterday);
        assert_eq!(presence.due(&RULES, yesterday.after(MINUTE)), Some(Duration::ZERO));
    }
}
