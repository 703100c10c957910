import type { ReactNode } from 'react';

export type Tone = 'plain' | 'accent' | 'good' | 'warn' | 'bad' | 'busy';

/** A short word about a state. The word says it all; the colour only repeats it. */
export function Tag({ tone = 'plain', testId, children }: { tone?: Tone; testId?: string; children: ReactNode }) {
  return (
    <span className={`tag tag-${tone}`} data-testid={testId}>
      {children}
    </span>
  );
}
