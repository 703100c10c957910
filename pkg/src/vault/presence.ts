// The page's side of auto-lock: tells whether a person is there. What follows from it is decided in the Wasm.

/** When an open vault locks itself. Times are whole milliseconds, at most a day; 0 is never. */
export interface AutoLock {
  /** After so long without a key, a pointer or a request. Default 900,000. */
  idleMs?: number | undefined;
  /** After the page was hidden for so long. Default 0. */
  hiddenMs?: number | undefined;
  /** When the browser puts the page to sleep. Default true. */
  frozen?: boolean | undefined;
}

/** `active`: a key or pointer was used. `hidden`, `shown`: the page is not seen, or is again. `frozen`: it is put to sleep. */
export type PresenceSign = 'active' | 'hidden' | 'shown' | 'frozen';

/** A pointer moves often; one sign a second is enough. */
const QUIET_MS = 1_000;

/** Calls `tell` for each sign. Returns how to stop. Does nothing where there is no document. */
export function watchPresence(tell: (sign: PresenceSign) => void): () => void {
  // Named without the DOM's types: this is also compiled for places that have none.
  const { document } = globalThis as { document?: EventTarget & { visibilityState: string } };
  if (!document) return () => undefined;
  const stop = new AbortController();
  const listen = (target: EventTarget, names: string[], sign: () => PresenceSign | undefined) => {
    for (const name of names) {
      target.addEventListener(
        name,
        () => {
          const told = sign();
          if (told) tell(told);
        },
        { capture: true, passive: true, signal: stop.signal },
      );
    }
  };
  let last = -QUIET_MS;
  listen(document, ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart'], () => {
    const now = performance.now();
    if (now - last < QUIET_MS) return undefined;
    last = now;
    return 'active';
  });
  listen(document, ['visibilitychange'], () => (document.visibilityState === 'hidden' ? 'hidden' : 'shown'));
  listen(document, ['freeze'], () => 'frozen');
  // Kept aside to come back to: not every browser says `freeze` then.
  listen(globalThis as unknown as EventTarget, ['pagehide'], () => 'frozen');
  listen(document, ['resume'], () => (document.visibilityState === 'hidden' ? 'hidden' : 'shown'));
  // Opened where nobody looks: a tab that was opened behind another one tells of no change.
  if (document.visibilityState === 'hidden') tell('hidden');
  return () => stop.abort();
}
