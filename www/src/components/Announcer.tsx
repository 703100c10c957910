import type { Outcome } from '../useAsk';
import { targetParts } from '../format';

const words = (outcome: Outcome | null): string => {
  // A problem is an alert of its own.
  if (outcome?.kind !== 'answer') return '';
  const { phase, account, reply } = outcome.asked;
  switch (phase) {
    case 'waiting':
      return 'Sent. Waiting for the answer.';
    case 'streaming':
      return 'The answer begins.';
    case 'stopped':
      return 'Stopped. What arrived stays on the page.';
    case 'interrupted':
      return '';
    case 'done': {
      const from = account?.cache === 'hit' ? 'from the cache' : `from ${targetParts(account?.target ?? '').provider}`;
      const [call] = reply.toolCalls;
      return call ? `The answer calls the tool ${call.name}.` : `The answer is complete, ${from}.`;
    }
  }
};

/** Tells a screen reader where the answer begins and ends, and leaves the reading of it to its listener. */
export function Announcer({ outcome }: { outcome: Outcome | null }) {
  return (
    <p className="unseen" role="status" data-testid="announcer">
      {words(outcome)}
    </p>
  );
}
