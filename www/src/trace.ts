import type { Events } from 'tidegate';

/** One line of what happened to a request. */
export type Step =
  | {
      kind: 'attempt';
      attempt: number;
      target: string;
      retry: boolean;
      at: number;
      /** From its start to the first output, if it streams. */
      firstMs?: number;
      end?: Events['attempt-end'];
    }
  | { kind: 'wait'; target: string; waitMs: number; reason: Events['wait']['reason']; at: number }
  | { kind: 'circuit'; state: 'open' | 'half-open' | 'closed'; target: string; until?: number; at: number }
  | { kind: 'threshold'; percent: number; at: number }
  | { kind: 'overshoot'; overshootNanoUsd: number; at: number };

/** One request as its events told it, the oldest step first. */
export interface Trace {
  requestId: string;
  steps: Step[];
  end?: Events['request-end'];
}

export type GateEvent = { [K in keyof Events]: { name: K; event: Events[K] } }[keyof Events];

const KEPT = 12;

/** Appends a step to the newest trace: circuits and the budget are not told per request. */
const aside = (traces: Trace[], step: Step): Trace[] => {
  const [newest, ...rest] = traces;
  return newest ? [{ ...newest, steps: [...newest.steps, step] }, ...rest] : traces;
};

const change = (traces: Trace[], requestId: string, update: (trace: Trace) => Trace): Trace[] => {
  const known = traces.some((trace) => trace.requestId === requestId);
  const all = known ? traces : [{ requestId, steps: [] }, ...traces].slice(0, KEPT);
  return all.map((trace) => (trace.requestId === requestId ? update(trace) : trace));
};

const changeAttempt = (
  traces: Trace[],
  { requestId, attempt }: { requestId: string; attempt: number },
  news: Partial<Extract<Step, { kind: 'attempt' }>>,
): Trace[] =>
  change(traces, requestId, (trace) => ({
    ...trace,
    steps: trace.steps.map((step) =>
      step.kind === 'attempt' && step.attempt === attempt ? { ...step, ...news } : step,
    ),
  }));

/** The traces, newest first, after one more event. */
export function record(traces: Trace[], { name, event }: GateEvent): Trace[] {
  switch (name) {
    case 'attempt-start':
      return change(traces, event.requestId, (trace) => ({
        ...trace,
        steps: [...trace.steps, { kind: 'attempt', ...event }],
      }));
    case 'attempt-end':
      return changeAttempt(traces, event, { end: event });
    case 'first-output':
      return changeAttempt(traces, event, { firstMs: event.durationMs });
    case 'wait':
      return change(traces, event.requestId, (trace) => ({
        ...trace,
        steps: [...trace.steps, { kind: 'wait', ...event }],
      }));
    case 'request-end':
      return change(traces, event.requestId, (trace) => ({ ...trace, end: event }));
    case 'circuit-open':
      return aside(traces, { kind: 'circuit', state: 'open', ...event });
    case 'circuit-half-open':
      return aside(traces, { kind: 'circuit', state: 'half-open', ...event });
    case 'circuit-closed':
      return aside(traces, { kind: 'circuit', state: 'closed', ...event });
    case 'budget-threshold':
      return aside(traces, { kind: 'threshold', percent: event.percent, at: event.at });
    case 'budget-overshoot':
      return aside(traces, { kind: 'overshoot', overshootNanoUsd: event.overshootNanoUsd, at: event.at });
    // They tell of a request of another page and of the vault: other panels show those.
    case 'lease-expired':
    case 'vault-lock':
      return traces;
    // The app asks nothing of the queue or by `gate.fetch`, has keys put back into answers, and looks for no patterns.
    case 'queue-progress':
    case 'key-in-request':
    case 'secret-detected':
    case 'pattern-detected':
      return traces;
  }
}
