//! An allocator's front: small blocks that are given back wait for the next who asks for as many bytes. A request takes and
//! gives back some 65 of them, and the standard library's allocator looks for each anew, and joins each with its neighbours.
//!
//! With `copies` the crate's place with `unsafe`, since `GlobalAlloc` cannot be implemented without. In the build for speed only.
#![expect(unsafe_code, reason = "GlobalAlloc")]

use std::alloc::{GlobalAlloc, Layout};
use std::cell::Cell;
use std::ptr::null_mut;

/// Small blocks come in multiples of so many bytes, up to [`LARGE`].
const STEP: usize = 16;
/// Larger ones, bodies and chunks, come in multiples of so many.
const LARGE: usize = 512;
/// How many classes there are: the largest is of 8 KiB, and what is larger goes to the allocator behind.
const CLASSES: usize = LARGE / STEP + 15;
/// What the allocator behind aligns without being asked.
const ALIGNED: usize = 8;
/// At most so many blocks of a class wait, 4 MiB of all together: what a burst leaves behind goes back.
const MOST: u32 = 64;

/// Blocks of one class, each with the address of the next in its first bytes.
struct Shelf {
    first: Cell<*mut u8>,
    waiting: Cell<u32>,
}

/// The front of `A`. For one thread.
pub struct Shelves<A> {
    behind: A,
    classes: [Shelf; CLASSES],
}

// SAFETY: this target has no threads.
#[cfg(all(target_arch = "wasm32", not(target_feature = "atomics")))]
unsafe impl<A> Sync for Shelves<A> {}

impl<A> Shelves<A> {
    /// Nothing waits yet.
    pub const fn before(behind: A) -> Self {
        Self { behind, classes: [const { Shelf { first: Cell::new(null_mut()), waiting: Cell::new(0) } }; CLASSES] }
    }

    /// The shelf for blocks of `layout`, and how large they are there; nothing for what goes to the allocator behind.
    #[inline]
    fn class(&self, layout: Layout) -> Option<(&Shelf, Layout)> {
        // Beyond all classes for a size of zero, which nobody may ask for.
        let last = layout.size().wrapping_sub(1);
        let (class, size) = if last < LARGE {
            (last / STEP, (last | (STEP - 1)).wrapping_add(1))
        } else {
            ((last / LARGE).wrapping_add(LARGE / STEP - 1), (last | (LARGE - 1)).wrapping_add(1))
        };
        let shelf = self.classes.get(class)?;
        let whole = Layout::from_size_align(size, ALIGNED).ok()?;
        (layout.align() <= ALIGNED).then_some((shelf, whole))
    }
}

// SAFETY: a block is on a shelf only after its owner gave it back, and leaves it before it is handed out again. Each block
// of a class was asked for with the class's own size and alignment, which are no less than those of any layout of the
// class, and goes back to the allocator behind with these.
unsafe impl<A: GlobalAlloc> GlobalAlloc for Shelves<A> {
    #[inline]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((shelf, whole)) = self.class(layout) else {
            // SAFETY: as the caller promises.
            return unsafe { self.behind.alloc(layout) };
        };
        let block = shelf.first.get();
        if block.is_null() {
            // SAFETY: its size is not zero.
            return unsafe { self.behind.alloc(whole) };
        }
        // SAFETY: who put it here wrote that address; a block has room for it, and is aligned for it.
        shelf.first.set(unsafe { block.cast::<*mut u8>().read() });
        shelf.waiting.set(shelf.waiting.get().wrapping_sub(1));
        block
    }

    #[inline]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.class(layout) {
            Some((shelf, _)) if shelf.waiting.get() < MOST => {
                // SAFETY: the caller owned it until now, and nobody does now.
                unsafe { block.cast::<*mut u8>().write(shelf.first.get()) };
                shelf.first.set(block);
                shelf.waiting.set(shelf.waiting.get().wrapping_add(1));
            }
            // SAFETY: it came with this layout from there.
            Some((_, whole)) => unsafe { self.behind.dealloc(block, whole) },
            // SAFETY: as the caller promises.
            None => unsafe { self.behind.dealloc(block, layout) },
        }
    }

    #[inline]
    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        if self.class(layout).is_none() {
            // SAFETY: as the caller promises.
            return unsafe { self.behind.alloc_zeroed(layout) };
        }
        // SAFETY: as the caller promises.
        let block = unsafe { self.alloc(layout) };
        if !block.is_null() {
            // SAFETY: it has so many bytes.
            unsafe { block.write_bytes(0, layout.size()) };
        }
        block
    }

    #[inline]
    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller promises that it is a layout.
        let wanted = unsafe { Layout::from_size_align_unchecked(size, layout.align()) };
        match (self.class(layout), self.class(wanted)) {
            // SAFETY: it is the allocator's behind before and after.
            (None, None) => unsafe { self.behind.realloc(block, layout, size) },
            (Some((_, had)), Some((_, whole))) if had.size() == whole.size() => block,
            // SAFETY: as the caller promises; as many bytes are copied as both have.
            _ => unsafe {
                let other = self.alloc(wanted);
                if !other.is_null() {
                    other.copy_from_nonoverlapping(block, layout.size().min(size));
                    self.dealloc(block, layout);
                }
                other
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::alloc::System;
    use std::collections::BTreeSet;

    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    /// Counts what the allocator behind has out.
    #[derive(Default)]
    struct Counting(Cell<usize>, Cell<usize>);

    // SAFETY: passes everything on.
    unsafe impl GlobalAlloc for Counting {
        unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
            self.0.set(self.0.get().wrapping_add(1));
            self.1.set(self.1.get().wrapping_add(layout.size()));
            // SAFETY: as the caller promises.
            unsafe { System.alloc(layout) }
        }

        unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
            self.1.set(self.1.get().wrapping_sub(layout.size()));
            // SAFETY: as the caller promises.
            unsafe { System.dealloc(block, layout) }
        }
    }

    #[test]
    fn a_block_given_back_is_the_next_of_its_class() {
        let front = Shelves::before(Counting::default());
        // SAFETY: each block is given back once, with its layout.
        unsafe {
            let first = front.alloc(layout(17, 1));
            front.dealloc(first, layout(17, 1));
            assert_eq!(front.alloc(layout(32, 8)), first);
            let other = front.alloc(layout(33, 1));
            assert_ne!(other, first);
            front.dealloc(first, layout(32, 8));
            front.dealloc(other, layout(33, 1));
            assert_eq!(front.behind.0.get(), 2);
            let (large, aligned) = (front.alloc(layout(8193, 1)), front.alloc(layout(16, 16)));
            front.dealloc(large, layout(8193, 1));
            front.dealloc(aligned, layout(16, 16));
            assert_eq!((front.behind.0.get(), front.behind.1.get()), (4, 32 + 48), "these two went back");
            for (size, whole) in [(1, 16), (16, 16), (512, 512), (513, 1024), (1024, 1024), (1025, 1536), (8192, 8192)]
            {
                assert_eq!(front.class(layout(size, 8)).unwrap().1.size(), whole);
            }
        }
    }

    #[test]
    fn what_a_burst_leaves_goes_back() {
        let front = Shelves::before(Counting::default());
        // SAFETY: each block is given back once, with its layout.
        unsafe {
            let blocks: Vec<_> = (0..2 * MOST).map(|_| front.alloc(layout(8, 8))).collect();
            assert_eq!(blocks.iter().collect::<BTreeSet<_>>().len(), blocks.len());
            blocks.into_iter().for_each(|block| front.dealloc(block, layout(8, 8)));
        }
        assert_eq!(front.behind.1.get(), MOST as usize * STEP);
    }

    #[test]
    fn bytes_move_with_their_block() {
        let front = Shelves::before(System);
        let sizes = [1, 16, 17, 500, 1024, 1025, 9000, 20_000, 900, 3];
        // SAFETY: one block, always with its present layout.
        unsafe {
            let mut block = front.alloc_zeroed(layout(sizes[0], 1));
            assert_eq!(*block, 0);
            *block = 7;
            for pair in sizes.windows(2) {
                block = front.realloc(block, layout(pair[0], 1), pair[1]);
                assert_eq!(*block, 7, "{pair:?}");
                block.add(pair[1] - 1).write(7);
            }
            front.dealloc(block, layout(sizes[9], 1));
            let again = front.alloc_zeroed(layout(16, 1));
            assert_eq!(std::slice::from_raw_parts(again, 16), [0; 16]);
            front.dealloc(again, layout(16, 1));
        }
    }
}
