import type { ChatMeta } from 'tidegate';

import { money, targetParts } from '../format';
import type { Asked } from '../useAsk';
import { AnswerBody } from './AnswerBody';
import { AnswerFacts } from './AnswerFacts';
import { ProblemNotice } from './ProblemNotice';
import { Tag, type Tone } from './Tag';

const CACHE: Record<ChatMeta['cache'], [tone: Tone, words: string]> = {
  hit: ['good', 'From the cache'],
  miss: ['plain', 'Fresh answer'],
  bypass: ['plain', 'Cache skipped'],
  joined: ['good', 'Joined an equal request'],
};

const phaseTag = ({ phase, target, account }: Asked): [tone: Tone, words: string] => {
  switch (phase) {
    case 'waiting':
      return ['busy', target ? `Waiting for ${targetParts(target).provider}` : 'Sending'];
    case 'streaming':
      return ['busy', 'Streaming'];
    case 'stopped':
      return ['warn', 'Stopped by you'];
    case 'interrupted':
      return ['bad', 'Interrupted'];
    case 'done':
      return account ? CACHE[account.cache] : ['plain', 'Complete'];
  }
};

const charged = ({ costNanoUsd, costSource }: ChatMeta): string =>
  costSource === 'estimated'
    ? `${money(costNanoUsd)} was charged: the reserved bound, since the provider did not say what it billed.`
    : `${money(costNanoUsd)} was charged.`;

/** An answer from its first token to its account, and whatever became of it. */
export function Answer({ asked, again }: { asked: Asked; again: () => void }) {
  const { phase, account, problem, reply } = asked;
  const [tone, words] = phaseTag(asked);
  return (
    <article
      className={`answer answer-${phase}`}
      data-testid="answer"
      data-phase={phase}
      aria-label="Answer"
      aria-busy={phase === 'waiting' || phase === 'streaming'}
    >
      <div className="tags">
        <Tag tone={tone} testId={phase === 'done' ? 'answer-cache' : 'answer-phase'}>
          {words}
        </Tag>
        {account?.degraded && <Tag tone="warn">Degraded</Tag>}
        {phase === 'done' && reply.finishReason === 'length' && <Tag tone="warn">Longest answer reached</Tag>}
      </div>
      <AnswerBody phase={phase} reply={reply} />
      {problem && (
        <ProblemNotice problem={problem} testId="interrupted" more={account && charged(account)}>
          <button type="button" className="small" onClick={again}>
            Send again
          </button>
        </ProblemNotice>
      )}
      {phase === 'stopped' && account && (
        <p className="quiet answer-charge" data-testid="stopped">
          What arrived stays. {charged(account)}
        </p>
      )}
      <AnswerFacts asked={asked} />
    </article>
  );
}
