import type { Status, Tidegate } from 'tidegate';

import { duration, number } from '../format';
import { useTask } from '../useTask';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';

interface Props {
  gate: Tidegate;
  cache: Status['cache'];
  refresh: () => void;
}

export function CachePanel({ gate, cache, refresh }: Props) {
  const { busy, problem, run } = useTask();
  const clear = async () => {
    await run(() => gate.cache.clear());
    refresh();
  };
  return (
    <Panel
      title="Cache"
      testId="cache"
      aside={
        <button type="button" className="small" disabled={busy} onClick={() => void clear()}>
          Clear the cache
        </button>
      }
    >
      <p>
        <span data-testid="cache-entries">{number(cache.entries)}</span> of {number(cache.maxEntries)} answers kept,{' '}
        <span className="quiet">each for {duration(cache.ttlMs)}</span>
      </p>
      {problem && <ProblemNotice problem={problem} />}
    </Panel>
  );
}
