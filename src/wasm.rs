//! The boundary: converts and forwards. The only place that names JavaScript; no rule of the domain is
//! decided here.

#[cfg(feature = "gateway")]
mod call;
#[cfg(feature = "gateway")]
mod convert;
#[cfg(feature = "gateway")]
mod core;
#[cfg(feature = "gateway")]
mod decider;
#[cfg(feature = "gateway")]
mod detect;
#[cfg(feature = "gateway")]
mod disk;
#[cfg(feature = "edge")]
mod edge;
#[cfg(feature = "edge")]
mod entrusted;
#[cfg(feature = "gateway")]
mod fetch;
#[cfg(feature = "gateway")]
mod host;
#[cfg(feature = "kdf")]
mod kdf;
#[cfg(feature = "gateway")]
mod keys;
#[cfg(feature = "testing")]
mod primitives;
#[cfg(feature = "edge")]
mod queue;
#[cfg(feature = "dialects")]
mod server;
#[cfg(feature = "edge")]
mod shelf;
#[cfg(feature = "testing")]
mod simulate;
#[cfg(feature = "gateway")]
mod slots;
#[cfg(feature = "gateway")]
mod stream;
#[cfg(feature = "gateway")]
mod tasks;
#[cfg(feature = "gateway")]
mod waits;
#[cfg(feature = "gateway")]
mod zone;

#[cfg(feature = "gateway")]
pub use self::core::Core;
#[cfg(feature = "gateway")]
pub use decider::LedgerDecider;
#[cfg(feature = "values")]
pub use detect::KeyValues;
#[cfg(feature = "gateway")]
pub use detect::{KeyRedaction, KeyScanner, key_rules};
#[cfg(feature = "edge")]
pub use edge::{EdgeDecider, session_day};
#[cfg(feature = "edge")]
pub use entrusted::EntrustedKeys;
#[cfg(feature = "gateway")]
pub use keys::describe_record;
#[cfg(feature = "edge")]
pub use queue::{Queue, QueueAsk, queue_place, queue_shard};
#[cfg(feature = "edge")]
pub use server::repeated;
#[cfg(feature = "dialects")]
pub use server::{asked, failure};
#[cfg(feature = "gateway")]
pub use slots::{
    describe_slot, export_header, first_slot, new_recovery_code, new_slot, recovery_secret, unlock_attempt,
    vault_moved, vault_slots,
};
#[cfg(feature = "gateway")]
pub use stream::ChatStream;

/// 4 KB smaller than the allocator of the standard library, which takes half as long: the build for speed has that one,
/// with shelves before it.
#[cfg(all(feature = "gateway", not(feature = "speed")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

#[cfg(feature = "speed")]
#[global_allocator]
static ALLOCATOR: crate::shelves::Shelves<std::alloc::System> = crate::shelves::Shelves::before(std::alloc::System);
