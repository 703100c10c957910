// Time that counts only while this realm is awake.

/** What slept, or was frozen, has waited for one of so many parts of its time. */
const PARTS = 3;

/** Calls `then` once this realm has been awake for so long. Returns how to call it off. */
export function afterAwake(millis: number, then: () => void): () => void {
  let left = PARTS;
  const timer = setInterval(() => {
    left -= 1;
    if (left > 0) return;
    clearInterval(timer);
    then();
  }, millis / PARTS);
  return () => clearInterval(timer);
}
