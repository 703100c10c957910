import type { ChatAnswer } from 'tidegate';

import { duration, money, number, plural, targetParts } from '../format';
import { Tag, type Tone } from './Tag';

const SOURCE = { reported: 'as billed', computed: 'by the price list', estimated: 'estimated' } as const;

const CACHE: Record<ChatAnswer['tidegate']['cache'], [tone: Tone, words: string]> = {
  hit: ['good', 'From the cache'],
  miss: ['plain', 'Fresh answer'],
  bypass: ['plain', 'Cache skipped'],
  joined: ['good', 'Joined an equal request'],
};

export function Answer({ answer }: { answer: ChatAnswer }) {
  const { target, attempts, cache, ageMs, savedNanoUsd, costNanoUsd, costSource, degraded, usage } = answer.tidegate;
  const { provider, model } = targetParts(target);
  const [tone, words] = CACHE[cache];
  const text = answer.choices[0]?.message.content ?? '';
  return (
    <article className="answer" data-testid="answer" aria-label="Answer">
      <div className="tags">
        <Tag tone={tone} testId="answer-cache">
          {words}
        </Tag>
        {degraded && <Tag tone="warn">Degraded</Tag>}
      </div>
      <p className="answer-text" data-testid="answer-text">
        {text}
      </p>
      <dl className="facts">
        <div>
          <dt>Answered by</dt>
          <dd data-testid="answer-target" data-target={target}>
            {provider} <span className="quiet">{model}</span>
          </dd>
        </div>
        <div>
          <dt>Cost</dt>
          <dd data-testid="answer-cost" data-nano-usd={costNanoUsd}>
            {money(costNanoUsd)} {cache !== 'hit' && <span className="quiet">{SOURCE[costSource]}</span>}
          </dd>
        </div>
        {cache === 'hit' ? (
          <>
            {savedNanoUsd !== undefined && (
              <div>
                <dt>Saved</dt>
                <dd data-testid="answer-saved">{money(savedNanoUsd)}</dd>
              </div>
            )}
            {ageMs !== undefined && (
              <div>
                <dt>Age</dt>
                <dd data-testid="answer-age">{duration(ageMs)}</dd>
              </div>
            )}
          </>
        ) : (
          <>
            <div>
              <dt>Tokens</dt>
              <dd data-testid="answer-tokens">
                {number(usage.inputTokens)} in, {number(usage.outputTokens)} out
              </dd>
            </div>
            <div>
              <dt>Took</dt>
              <dd data-testid="answer-attempts">{plural(attempts, 'attempt')}</dd>
            </div>
          </>
        )}
      </dl>
    </article>
  );
}
