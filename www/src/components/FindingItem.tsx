import type { Finding } from 'tidegate';

import { ruleName } from '../../../pkg/src/ruleName';
import { number } from '../format';
import { Tag, type Tone } from './Tag';

const CLASSES: Record<Finding['class'], [tone: Tone, word: string]> = {
  secret: ['bad', 'Secret'],
  ambiguous: ['warn', 'Secret or public'],
  publishable: ['plain', 'Made to be public'],
};

/** What the provider's pages are reached by, and nothing but http. */
const isPage = (address: string) => /^https:\/\//.test(address);

export function FindingItem({ finding }: { finding: Finding }) {
  const { rule, preview, line, column, encoding, advice, docs } = finding;
  const [tone, word] = CLASSES[finding.class];
  return (
    <li className="finding" data-testid="finding" data-rule={rule} data-class={finding.class}>
      <p className="finding-head">
        <Tag tone={tone}>{word}</Tag>
        <span className="finding-rule">{ruleName(rule)}</span>
        <span className="quiet">
          line {number(line)}, column {number(column)}
          {encoding !== 'plain' && `, in ${encoding}`}
        </span>
      </p>
      <p>
        <code>{preview}</code>
      </p>
      <p className="finding-advice">
        {advice}{' '}
        {isPage(docs) && (
          <a href={docs} target="_blank" rel="noopener noreferrer">
            {new URL(docs).host}
            <span className="unseen"> (opens another page)</span>
          </a>
        )}
      </p>
    </li>
  );
}
