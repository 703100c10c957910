import { useCallback, useEffect, useRef, useState } from 'react';
import { isTidegateError } from 'tidegate';

type Work = (secret: Uint8Array) => Promise<unknown>;

const needsPerson = (error: unknown) =>
  isTidegateError(error) && error.fields?.[0]?.path === 'confirm' && /is needed/.test(error.fields[0].problem);

/**
 * Does what the vault does only for a person who was there within the last minute: if it asks for one, the work waits until
 * `confirmed` is called. A secret that it takes is held as bytes meanwhile, and wiped after.
 */
export function useConfirmed(act: (work: () => Promise<unknown>) => Promise<boolean>) {
  const held = useRef<{ work: Work; secret: Uint8Array } | null>(null);
  const [asking, setAsking] = useState(false);

  const drop = useCallback(() => {
    held.current?.secret.fill(0);
    held.current = null;
    setAsking(false);
  }, []);
  useEffect(() => drop, [drop]);

  const attempt = (work: Work, given?: Uint8Array) => {
    const secret = given?.slice() ?? new Uint8Array();
    drop(); // may wipe what was given
    return act(async () => {
      let waits = false;
      try {
        await work(secret.slice());
      } catch (error) {
        waits = needsPerson(error);
        if (!waits) throw error;
        held.current = { work, secret };
        setAsking(true);
      } finally {
        if (!waits) secret.fill(0);
      }
    });
  };

  const confirmed = async () => {
    const waiting = held.current;
    if (waiting) await attempt(waiting.work, waiting.secret);
  };

  return { asking, attempt, confirmed, cancel: drop };
}
