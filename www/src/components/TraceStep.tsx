import { clock, duration, money, targetParts } from '../format';
import type { Step } from '../trace';

const CIRCUIT = { open: 'opened', 'half-open': 'lets one probe through', closed: 'closed' } as const;
const REASON = { backoff: 'backing off', 'retry-after': 'as the provider asked' } as const;

type Tone = 'good' | 'bad' | 'warn' | 'busy' | 'plain';

const toneOf = (step: Step): Tone => {
  if (step.kind === 'attempt')
    return step.end ? (step.end.ok ? 'good' : step.end.code === 'aborted' ? 'plain' : 'bad') : 'busy';
  if (step.kind === 'circuit') return step.state === 'closed' ? 'good' : 'warn';
  return step.kind === 'wait' ? 'plain' : 'warn';
};

const attemptWords = (step: Extract<Step, { kind: 'attempt' }>) => {
  const { provider, model } = targetParts(step.target);
  const first = step.firstMs !== undefined && (
    <span className="quiet" data-testid="trace-first">
      first token {duration(step.firstMs)},{' '}
    </span>
  );
  const kind = step.retry ? 'Retry at' : step.attempt > 1 ? 'Fallback to' : 'Asking';
  return (
    <>
      <span>
        <span className="step-number">{step.attempt}</span> {kind} {provider} <span className="quiet">{model}</span>
      </span>
      <span className="step-end">
        {first}
        {!step.end && (step.firstMs === undefined ? '…' : 'streaming …')}
        {step.end?.ok && `answered, ${duration(step.end.durationMs)}`}
        {step.end?.ok && step.end.costNanoUsd !== undefined && `, ${money(step.end.costNanoUsd)}`}
        {step.end && !step.end.ok && (
          <>
            <code>{step.end.code}</code>
            {step.end.status ? ` ${step.end.status}` : ''}, {duration(step.end.durationMs)}
          </>
        )}
      </span>
    </>
  );
};

const words = (step: Step, waiting: boolean) => {
  switch (step.kind) {
    case 'attempt':
      return attemptWords(step);
    case 'wait':
      return (
        <span className="quiet">
          {waiting ? 'Waiting' : 'Waited'} {duration(step.waitMs)}, {REASON[step.reason]}
        </span>
      );
    case 'circuit':
      return (
        <span>
          The circuit of {targetParts(step.target).provider} {CIRCUIT[step.state]}
          {step.state === 'open' && step.until !== undefined && ` until ${clock(step.until)}`}
        </span>
      );
    case 'threshold':
      return <span>{step.percent} % of the budget is spent</span>;
    case 'overshoot':
      return <span>A bill passed its bound by {money(step.overshootNanoUsd)}</span>;
  }
};

interface Props {
  step: Step;
  /** The request has not ended and this is its newest step. */
  newest: boolean;
}

export function TraceStep({ step, newest }: Props) {
  return (
    <li className={`step step-${toneOf(step)}`} data-testid="trace-step" data-kind={step.kind}>
      {words(step, newest)}
    </li>
  );
}
