//! Secrets by type: a value that is wiped when dropped and that nothing prints by accident.

use std::fmt;

use zeroize::Zeroize;

/// A plaintext that must not leave by accident: no `Display`, no serialisation, a `Debug` that hides
/// the value, wiped on drop, compared in constant time.
///
/// Reading it is loud: every `.expose()` in this crate carries an `// EXPOSE:` comment that says why it
/// is safe, and a test looks for the comment.
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes ownership of a plaintext.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// The plaintext.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// The plaintext, to be written in place.
    pub const fn expose_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Compares without leaving early: the time depends on the lengths alone.
    #[must_use]
    pub fn ct_eq(&self, other: &[u8]) -> bool {
        let own = self.0.as_ref();
        let mut difference = u8::from(own.len() != other.len());
        for (a, b) in own.iter().zip(other) {
            difference |= a ^ b;
        }
        std::hint::black_box(difference) == 0
    }
}

/// The HMAC-SHA-256 of several pieces, one after the other.
#[cfg(feature = "gateway")]
#[must_use]
pub fn hmac(key: &[u8], pieces: &[&[u8]]) -> Secret<[u8; 32]> {
    use hmac::{Hmac, KeyInit, Mac};
    // Keys of any length are taken.
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key) else { return Secret::new([0; 32]) };
    for piece in pieces {
        mac.update(piece);
    }
    Secret::new(mac.finalize().into_bytes().into())
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize + Clone> Clone for Secret<T> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::rc::Rc;

    use super::*;

    #[test]
    fn debug_hides_the_value() {
        let secret = Secret::new(String::from("gsk_verysecret"));
        assert!(!format!("{secret:?}").contains("very"));
    }

    #[test]
    fn equality_needs_every_byte_and_the_length() {
        let secret = Secret::new(b"abc".to_vec());
        assert!(secret.ct_eq(b"abc"));
        for other in [&b"abd"[..], b"bbc", b"ab", b"abcd", b""] {
            assert!(!secret.ct_eq(other));
        }
    }

    #[test]
    fn dropping_wipes() {
        #[derive(Clone)]
        struct Spy(Rc<RefCell<u8>>);
        impl Zeroize for Spy {
            fn zeroize(&mut self) {
                *self.0.borrow_mut() = 0;
            }
        }
        let cell = Rc::new(RefCell::new(7));
        drop(Secret::new(Spy(cell.clone())));
        assert_eq!(*cell.borrow(), 0);
    }
}
