//! Stands for the values where the build does not search any: there are none, so all of it is left out.

use super::finding::Found;
use crate::keys::Severity;

/// Nothing can be made of this.
pub enum Values {}

impl Values {
    pub(super) const fn search(&self, _text: &[u8], _from: usize, _to: usize, _out: &mut Vec<Found>) {
        match *self {}
    }

    pub(super) const fn told(&self, _value: usize) -> (&str, Severity) {
        match *self {}
    }
}
