import { plural } from '../format';
import type { Trace } from '../trace';
import { Panel } from './Panel';
import { TraceItem } from './TraceItem';

// What is compared most: this request and the one before.
const SHOWN = 2;

const TraceList = ({ traces }: { traces: Trace[] }) => (
  <ol className="traces">
    {traces.map((trace) => (
      <TraceItem key={trace.requestId} trace={trace} />
    ))}
  </ol>
);

/** What happened, request by request, as the gateway's events tell it. */
export function TracePanel({ traces }: { traces: Trace[] }) {
  return (
    <Panel title="What happened" testId="trace">
      {traces.length === 0 ? (
        <p className="quiet">Send a message to see its attempts, waits and fallbacks here, live.</p>
      ) : (
        <TraceList traces={traces.slice(0, SHOWN)} />
      )}
      {traces.length > SHOWN && (
        <details className="earlier">
          <summary>{plural(traces.length - SHOWN, 'earlier request')}</summary>
          <TraceList traces={traces.slice(SHOWN)} />
        </details>
      )}
    </Panel>
  );
}
