//! Copying, in the build for speed. There every move of a value of more than a few words is a copy, 160 for a request and
//! nearly all of 1 to 300 bytes, and `memory.copy` is a call out of the Wasm, which costs more than so few bytes do. Built
//! without that instruction the compiler calls these functions instead, in place of the standard library's, which go word by
//! word.
//!
//! With [`shelves`](crate::shelves) the crate's place with `unsafe`: the compiler calls these with addresses.
#![expect(unsafe_code, reason = "memcpy and its like take addresses")]
#![expect(clippy::arithmetic_side_effects, reason = "addresses within blocks that the caller says are so long")]

#[cfg(target_arch = "wasm32")]
use std::arch::wasm32::v128 as Wide;

/// Sixteen bytes.
#[cfg(not(target_arch = "wasm32"))]
type Wide = [u64; 2];

/// Anywhere, not only where a `T` may lie. Read and written field by field, since copies of it would be made by the very
/// functions below.
#[repr(C, packed)]
struct At<T>(T);

const WIDE: usize = size_of::<Wide>();

/// # Safety
/// `from` can be read for `size_of::<T>()` bytes.
#[inline(always)]
unsafe fn get<T: Copy>(from: *const u8) -> T {
    // SAFETY: as the caller promises; `At` needs no alignment.
    unsafe { (*from.cast::<At<T>>()).0 }
}

/// # Safety
/// `to` can be written for `size_of::<T>()` bytes.
#[inline(always)]
unsafe fn put<T: Copy>(to: *mut u8, value: T) {
    // SAFETY: as the caller promises; `At` needs no alignment.
    unsafe { (*to.cast::<At<T>>()).0 = value }
}

/// Two pieces that may overlap one another, read before either is written: all of `size_of::<T>()` to twice as many bytes.
///
/// # Safety
/// As for [`copy`], with a `length` of so many bytes.
#[inline(always)]
unsafe fn both_ends<T: Copy>(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: both pieces are within the blocks.
    unsafe {
        let last = length - size_of::<T>();
        let (head, tail) = (get::<T>(from), get::<T>(from.add(last)));
        put(to, head);
        put(to.add(last), tail);
    }
}

/// Copies at most 32 bytes, wherever the blocks lie.
///
/// # Safety
/// As for [`copy`], with a `length` of at most 32.
#[inline(always)]
unsafe fn copy_few(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller promises.
    unsafe {
        match length {
            16.. => both_ends::<Wide>(to, from, length),
            8.. => both_ends::<u64>(to, from, length),
            4.. => both_ends::<u32>(to, from, length),
            2.. => both_ends::<u16>(to, from, length),
            1 => put(to, get::<u8>(from)),
            0 => {}
        }
    }
}

/// Copies from the first byte to the last.
///
/// # Safety
/// `from` can be read and `to` written for `length` bytes; `to` is not within them after `from`.
#[inline(always)]
unsafe fn copy(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller promises; the last piece is read before the one that it overlaps is written.
    unsafe {
        if length <= 2 * WIDE {
            return copy_few(to, from, length);
        }
        let last = length - WIDE;
        let tail = get::<Wide>(from.add(last));
        let mut at = 0;
        while at + WIDE < last {
            let (one, other) = (get::<Wide>(from.add(at)), get::<Wide>(from.add(at + WIDE)));
            put(to.add(at), one);
            put(to.add(at + WIDE), other);
            at += 2 * WIDE;
        }
        if at < last {
            put(to.add(at), get::<Wide>(from.add(at)));
        }
        put(to.add(last), tail);
    }
}

/// Copies from the last byte to the first.
///
/// # Safety
/// `from` can be read and `to` written for `length` bytes; `to` is not within them before `from`.
#[inline(always)]
unsafe fn copy_back(to: *mut u8, from: *const u8, length: usize) {
    // SAFETY: as the caller promises; the first piece is read before the one that it overlaps is written.
    unsafe {
        if length <= 2 * WIDE {
            return copy_few(to, from, length);
        }
        let head = get::<Wide>(from);
        let mut left = length;
        while left > WIDE {
            left -= WIDE;
            put(to.add(left), get::<Wide>(from.add(left)));
        }
        put(to, head);
    }
}

/// Writes the same byte everywhere.
///
/// # Safety
/// `to` can be written for `length` bytes.
#[inline(always)]
unsafe fn fill(to: *mut u8, byte: u8, length: usize) {
    let eight = u64::from(byte) * 0x0101_0101_0101_0101;
    // SAFETY: as the caller promises.
    unsafe {
        if length < 8 {
            for at in 0..length {
                put(to.add(at), byte);
            }
            return;
        }
        let mut at = 0;
        while at + 8 < length {
            put(to.add(at), eight);
            at += 8;
        }
        put(to.add(length - 8), eight);
    }
}

#[cfg(target_arch = "wasm32")]
mod named {
    /// # Safety
    /// As C's.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        // SAFETY: they do not overlap.
        unsafe { super::copy(to, from, length) };
        to
    }

    /// # Safety
    /// As C's.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, length: usize) -> *mut u8 {
        // SAFETY: `to` is within the block after `from` only if it is so few bytes away.
        unsafe {
            if (to as usize).wrapping_sub(from as usize) < length {
                super::copy_back(to, from, length);
            } else {
                super::copy(to, from, length);
            }
        }
        to
    }

    /// # Safety
    /// As C's.
    #[unsafe(no_mangle)]
    unsafe extern "C" fn memset(to: *mut u8, byte: i32, length: usize) -> *mut u8 {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "C's: its lowest byte")]
        // SAFETY: as the caller promises.
        unsafe {
            super::fill(to, byte as u8, length);
        }
        to
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Longer than every piece that is copied at once.
    const MOST: usize = 100;

    fn bytes() -> Vec<u8> {
        (0..=255).collect()
    }

    #[test]
    fn copies_are_what_they_are_copies_of_and_nothing_around_them_changes() {
        for length in 0..MOST {
            for (to, from) in [(0, 0), (1, 3), (7, 2)] {
                let (own, source) = (vec![0xee; MOST + 16], bytes());
                for back in [false, true] {
                    let mut room = own.clone();
                    let (begin, source) = (room.as_mut_ptr().wrapping_add(to), source.as_ptr().wrapping_add(from));
                    // SAFETY: both blocks are longer than `length` and what is before them.
                    unsafe { if back { copy_back(begin, source, length) } else { copy(begin, source, length) } }
                    let mut wanted = own.clone();
                    wanted[to..to + length].copy_from_slice(&bytes()[from..from + length]);
                    assert_eq!(room, wanted, "{length} bytes, back: {back}");
                }
            }
        }
    }

    #[test]
    fn what_overlaps_is_moved_whole() {
        for length in 0..MOST {
            for apart in 0..40 {
                let (mut down, mut up, mut wanted_down, mut wanted_up) = (bytes(), bytes(), bytes(), bytes());
                let (low, high) = (10, 10 + apart);
                // SAFETY: the block is 256 bytes; the first copy goes down, the second goes up.
                unsafe {
                    let own = down.as_mut_ptr();
                    copy(own.wrapping_add(low), own.wrapping_add(high), length);
                    let own = up.as_mut_ptr();
                    copy_back(own.wrapping_add(high), own.wrapping_add(low), length);
                }
                wanted_down.copy_within(high..high + length, low);
                wanted_up.copy_within(low..low + length, high);
                assert_eq!((down, up), (wanted_down, wanted_up), "{length} bytes, {apart} apart");
            }
        }
    }

    #[test]
    fn filling_fills_so_much_and_no_more() {
        for length in 0..MOST {
            let mut room = vec![0xee; MOST + 8];
            // SAFETY: the block is longer.
            unsafe { fill(room.as_mut_ptr().wrapping_add(3), 0x91, length) }
            let mut wanted = vec![0xee; MOST + 8];
            wanted[3..3 + length].fill(0x91);
            assert_eq!(room, wanted, "{length} bytes");
        }
    }
}
