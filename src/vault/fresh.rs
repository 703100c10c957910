//! Whether the person was there a moment ago. What could take a key out of the vault (showing it, exporting, another way
//! in) is done only then, so that code which finds the vault open cannot do it by itself.

use std::time::Duration;

use crate::error::{Code, Error, Result};
use crate::time::Timestamp;

use super::slot::{Slot, SlotKind};

/// How long a confirmation lasts.
const LASTS: Duration = Duration::from_secs(60);

/// When the person showed to be there.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fresh(Option<Timestamp>);

impl Fresh {
    /// Now.
    #[must_use]
    pub const fn at(now: Timestamp) -> Self {
        Self(Some(now))
    }

    /// Whether it was within the last 60 s.
    ///
    /// # Errors
    /// `vault_locked`, naming the field `confirm`.
    pub fn check(self, now: Timestamp) -> Result<()> {
        // A clock that was set back makes nothing fresh.
        let fresh = self.0.is_some_and(|at| at <= now && now.since(at) <= LASTS);
        if fresh { Ok(()) } else { Err(refused("is needed: call confirm() at most 60 s before")) }
    }
}

/// Whether opening this slot shows that the person is there. A device key answers to any code of the page, so it does
/// not, unless the vault has no other way in and so keeps nothing from such code anyway.
///
/// # Errors
/// `vault_locked`, naming the field `confirm`.
pub fn proves(slots: &[Slot], id: &[u8]) -> Result<()> {
    let device = |slot: &&Slot| slot.kind() == Some(SlotKind::Device);
    let own = slots.iter().find(|slot| slot.id == *id).filter(device);
    if own.is_none() || slots.iter().all(|slot| device(&slot)) {
        return Ok(());
    }
    Err(refused("cannot be by the device alone: use the passphrase, a passkey or the recovery code"))
}

fn refused(problem: &'static str) -> Box<Error> {
    Box::new(Error::field(Code::VaultLocked, "confirm", problem))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vault::kdf::KdfParams;

    const NOW: Timestamp = Timestamp::from_millis(1_700_000_000_000);

    #[test]
    fn a_confirmation_lasts_a_minute() {
        let fresh = Fresh::at(NOW);
        assert!(fresh.check(NOW).is_ok());
        assert!(fresh.check(NOW.after(LASTS)).is_ok());
        assert!(fresh.check(NOW.after(LASTS + Duration::from_millis(1))).is_err());
        assert!(fresh.check(NOW.before(Duration::from_millis(1))).is_err());
        assert_eq!(Fresh::default().check(NOW).unwrap_err().code, Code::VaultLocked);
    }

    #[test]
    fn a_device_key_shows_nobody_unless_it_is_the_only_way_in() {
        let mut next = 0;
        let mut slot = |kind| {
            next += 1;
            let mut entropy = |bytes: &mut [u8]| bytes.fill(next);
            Slot::new(kind, "", KdfParams::default(), &[], NOW, &mut entropy).unwrap()
        };
        let (device, other, passphrase) = (slot(SlotKind::Device), slot(SlotKind::Device), slot(SlotKind::Passphrase));
        assert!(proves(&[device.clone(), other.clone()], &device.id).is_ok());
        let mixed = [device.clone(), passphrase.clone()];
        assert!(proves(&mixed, &device.id).is_err());
        assert!(proves(&mixed, &passphrase.id).is_ok());
    }
}
