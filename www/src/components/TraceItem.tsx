import { clock, duration, money, targetParts } from '../format';
import type { Trace } from '../trace';
import { TraceStep } from './TraceStep';

const outcome = ({ end }: Trace): string => {
  if (!end) return 'running …';
  if (end.code === 'aborted') return 'stopped';
  if (!end.ok) return `ended with ${end.code ?? 'an error'}`;
  const by = end.target ? targetParts(end.target).provider : 'the gateway';
  return end.cache === 'hit' ? `answered from the cache (${by})` : `answered by ${by}`;
};

export function TraceItem({ trace }: { trace: Trace }) {
  const { steps, end } = trace;
  const at = steps[0]?.at ?? end?.at;
  const state = end ? (end.ok ? 'good' : end.code === 'aborted' ? 'plain' : 'bad') : 'busy';
  return (
    <li className={`trace trace-${state}`} data-testid="trace-request" data-state={state}>
      <p className="trace-head">
        <span className="trace-title">Request {outcome(trace)}</span>
        <span className="quiet">
          {at !== undefined && clock(at)}
          {end && ` · ${duration(end.durationMs)} · ${money(end.costNanoUsd)}`}
        </span>
      </p>
      {steps.length > 0 && (
        <ol className="steps">
          {steps.map((step, index) => (
            <TraceStep key={index} step={step} newest={!end && index === steps.length - 1} />
          ))}
        </ol>
      )}
    </li>
  );
}
