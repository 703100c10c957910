import type { Status } from 'tidegate';

import { moment, money, shortMoney } from '../format';
import { THRESHOLDS } from '../settings';
import { Panel } from './Panel';
import { Tag } from './Tag';

const percentOf = (part: number, whole: number) =>
  whole > 0 ? Math.min(100, (part / whole) * 100) : part > 0 ? 100 : 0;

export function BudgetPanel({ budget }: { budget: Status['budget'] }) {
  const { limitNanoUsd, spentNanoUsd, reservedNanoUsd, overshootNanoUsd, resetsAt } = budget;
  const spent = percentOf(spentNanoUsd, limitNanoUsd);
  const reserved = Math.min(100 - spent, percentOf(reservedNanoUsd, limitNanoUsd));
  const passed = THRESHOLDS.filter((percent) => spent >= percent).at(-1);
  return (
    <Panel
      title="Budget"
      testId="budget"
      aside={passed !== undefined && <Tag tone={passed >= 100 ? 'bad' : 'warn'}>{passed} % reached</Tag>}
    >
      <p className="figure">
        <span data-testid="budget-spent" data-nano-usd={spentNanoUsd} title={money(spentNanoUsd)}>
          {shortMoney(spentNanoUsd)}
        </span>{' '}
        <span className="quiet">of {money(limitNanoUsd)} spent</span>
      </p>
      <svg
        className={`bar ${passed === undefined ? '' : passed >= 100 ? 'bar-bad' : 'bar-warn'}`}
        viewBox="0 0 100 10"
        preserveAspectRatio="none"
        role="meter"
        aria-label="Budget spent"
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(spent)}
        aria-valuetext={`${money(spentNanoUsd)} of ${money(limitNanoUsd)} spent, ${money(reservedNanoUsd)} reserved`}
      >
        <rect className="bar-track" width="100" height="10" />
        <rect className="bar-spent" width={spent} height="10" />
        <rect className="bar-reserved" x={spent} width={reserved} height="10" />
        {THRESHOLDS.filter((percent) => percent < 100).map((percent) => (
          <rect key={percent} className="bar-tick" x={percent} width="0.4" height="10" />
        ))}
      </svg>
      <dl className="facts">
        <div>
          <dt>Reserved</dt>
          <dd data-testid="budget-reserved" data-nano-usd={reservedNanoUsd}>
            {money(reservedNanoUsd)}
          </dd>
        </div>
        <div>
          <dt>Resets</dt>
          <dd data-testid="budget-resets">
            <time dateTime={new Date(resetsAt).toISOString()}>{moment(resetsAt)}</time>
          </dd>
        </div>
        {overshootNanoUsd > 0 && (
          <div>
            <dt>Over its bound</dt>
            <dd>{money(overshootNanoUsd)}</dd>
          </div>
        )}
      </dl>
    </Panel>
  );
}
