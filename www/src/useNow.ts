import { useEffect, useState } from 'react';

/** The time, renewed four times a second while something counts down. */
export function useNow(active: boolean): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    if (!active) return undefined;
    const tick = () => setNow(Date.now());
    tick();
    const timer = setInterval(tick, 250);
    return () => clearInterval(timer);
  }, [active]);
  return now;
}

/** Milliseconds since `since`, a time of `performance.now()`, renewed ten times a second while something runs. */
export function useElapsed(since: number, active: boolean): number {
  const [elapsed, setElapsed] = useState(0);
  useEffect(() => {
    if (!active) return undefined;
    const tick = () => setElapsed(performance.now() - since);
    tick();
    const timer = setInterval(tick, 100);
    return () => clearInterval(timer);
  }, [since, active]);
  return elapsed;
}
