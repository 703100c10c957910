// What of a build in two parts may only be called once its rest is loaded (see split-wasm.mjs). What is reached through these
// alone goes into the rest.

const CORE =
  'call|failure|route|records|replay|status|syncCache|restoreCache|vault(Create|Confirm|Export|Import|Migrate|Open|Put|PutSlot|Raise|Remove|RemoveSlot|Reveal|Rotate|Unlock)';
const FREE =
  'keyRules|withoutKeys|describeRecord|describeSlot|exportHeader|firstSlot|newRecoveryCode|newSlot|recoverySecret|unlockAttempt|vaultMoved|vaultSlots';
const CLASSES = 'chatstream|keyscanner|keyredaction';

/** Exports: `pkg/src` awaits the rest before it calls them. */
export const EXPORTS = new RegExp(`^(core_(${CORE})|${FREE}|(${CLASSES})_\\w+|__wbg_(${CLASSES})_free)$`);

/**
 * Functions that load first though they may not run in `split-scenario.mjs`: what runs in them hangs on how much memory is
 * in use, and how many there are of something.
 */
export const KEPT =
  /^(<?talc::|__rust_|__rustc|alloc::raw_vec|<?core::(slice|mem|ptr::swap)|(memcpy|memmove|memset|memcmp|bcmp)$|__wbindgen_|__externref|wasm_bindgen::(__rt|externref)|wasm_bindgen_futures::)/;

/** A legacy-mangled name as the source has it, without the hash; what was taken out of a function has its name. */
export function readable(mangled) {
  const letters = { LT: '<', GT: '>', u20: ' ', C: ',', RF: '&', BP: '*', LP: '(', RP: ')', u7b: '{', u7d: '}' };
  return mangled
    .replace(/\$cold\d+$/, '')
    .replace(/::h[0-9a-f]{16}$/, '')
    .replace(/\$(\w+)\$/g, (all, code) => letters[code] ?? all)
    .replace(/\.\./g, '::')
    .replace(/^_</, '<');
}

const DRIVE = 'tidegate::gateway::run::Run<H>::drive::{{closure}}';

/**
 * Functions, and who calls them only after `Host::rest`, or after an export of the above. Called by anybody else a
 * function is no entry, and all that it needs loads first.
 */
export const FUNCTIONS = {
  // Whatever is no plain answer (attempt.rs, `exchange`).
  'tidegate::attempt::begin': [DRIVE],
  'tidegate::attempt::read': [DRIVE],
  'tidegate::chat::completion::Completion::push': ['tidegate::attempt::answered::{{closure}}::{{closure}}'],
  'tidegate::provider::dialect::encode_body': [DRIVE],
  // Answers for other dialects are asked for by `Core::call`.
  'tidegate::gateway::answer::repeat': ['tidegate::gateway::replies::again'],
  // What follows a failure (gateway/context.rs, `exchange`).
  'tidegate::gateway::run::Run<H>::failed': [DRIVE],
  'tidegate::gateway::answer::degraded': [DRIVE, 'tidegate::gateway::run::Run<H>::degraded'],
  // A stream that has begun, or a request for one (gateway.rs, `open`).
  'tidegate::gateway::streaming::Streaming<H>::new': ['tidegate::gateway::run::lead::{{closure}}'],
  'tidegate::gateway::streaming::Streaming<H>::boarded': ['tidegate::gateway::open::{{closure}}'],
  // A request whose keys are to be put back waited for the rest too.
  'tidegate::gateway::told::patterns': ['tidegate::gateway::open::{{closure}}'],
  'tidegate::gateway::restore::Restoring::whole': ['tidegate::gateway::open::{{closure}}'],
  'tidegate::gateway::streaming::Streaming<H>::leave': ['tidegate::wasm::core::Core::chat::{{closure}}'],
  'tidegate::gateway::answer::Reply::into_events': ['tidegate::gateway::shared::answer::{{closure}}::{{closure}}'],
  // A replay begins at `Core::replay`.
  'tidegate::gateway::context::replay_exchange': [DRIVE],
};
