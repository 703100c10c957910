import type { ReactNode } from 'react';
import type { ChatMeta } from 'tidegate';

import { duration, money, number, plural, targetParts } from '../format';
import type { Asked } from '../useAsk';
import { useElapsed } from '../useNow';

const SOURCE = { reported: 'as billed', computed: 'by the price list', estimated: 'estimated' } as const;

const Fact = ({
  name,
  children,
  ...rest
}: {
  name: string;
  children: ReactNode;
  [data: `data-${string}`]: unknown;
}) => (
  <div>
    <dt>{name}</dt>
    <dd {...rest}>{children}</dd>
  </div>
);

const Unknown = () => <span className="quiet">–</span>;

const isTold = ({ usage }: ChatMeta) => usage.inputTokens + usage.outputTokens > 0;

const Tokens = ({ usage }: { usage: ChatMeta['usage'] }) => (
  <>
    {number(usage.inputTokens)} in, {number(usage.outputTokens)} out
    {usage.reasoningTokens > 0 && (
      <span className="quiet fact-note"> {number(usage.reasoningTokens)} of them reasoning</span>
    )}
  </>
);

/** Who answered, how long it took and what it cost. Each has its place from the start, so that nothing jumps. */
export function AnswerFacts({ asked }: { asked: Asked }) {
  const { account, stream, sentAt, firstMs, phase } = asked;
  const running = phase === 'waiting' || phase === 'streaming';
  const elapsed = useElapsed(sentAt, running);
  const target = account?.target || asked.target;
  const parts = target ? targetParts(target) : null;
  const hit = account?.cache === 'hit';
  return (
    <dl className="facts answer-facts">
      <Fact name={account ? 'Answered by' : 'Asked'} data-testid="answer-target" data-target={target}>
        {parts ? (
          <>
            {parts.provider} <span className="quiet fact-note">{parts.model}</span>
          </>
        ) : (
          <Unknown />
        )}
      </Fact>
      {stream && (
        <Fact name="First token" data-testid="answer-first">
          {firstMs === undefined ? <Unknown /> : duration(firstMs)}
        </Fact>
      )}
      <Fact name="Took" data-testid="answer-took">
        {duration(asked.totalMs ?? elapsed)}
        {account && account.attempts > 0 && (
          <span className="quiet fact-note"> {plural(account.attempts, 'attempt')}</span>
        )}
      </Fact>
      {hit && account.ageMs !== undefined ? (
        <Fact name="Age" data-testid="answer-age">
          {duration(account.ageMs)}
        </Fact>
      ) : (
        <Fact name="Tokens" data-testid="answer-tokens">
          {account && isTold(account) ? <Tokens usage={account.usage} /> : <Unknown />}
          {account && !isTold(account) && <span className="quiet fact-note"> not told</span>}
        </Fact>
      )}
      <Fact name="Cost" data-testid="answer-cost" data-nano-usd={account?.costNanoUsd}>
        {account ? money(account.costNanoUsd) : <Unknown />}
        {account && !hit && <span className="quiet fact-note"> {SOURCE[account.costSource]}</span>}
        {account?.savedNanoUsd !== undefined && (
          <span className="quiet fact-note">
            {' '}
            saved <span data-testid="answer-saved">{money(account.savedNanoUsd)}</span>
          </span>
        )}
      </Fact>
    </dl>
  );
}
