import { useEffect, useState } from 'react';

import { readFaults, setFault, type Demo, type Fault } from '../demo';
import { providerName } from '../format';
import { Panel } from './Panel';

type Choice = [fault: Fault, words: string];

const FAULTS: Choice[] = [
  ['none', 'Healthy'],
  ['fail', 'Broken'],
  ['slow', 'Slow'],
  ['rate-limit', 'Rate limited'],
  ['wrong-key', 'Wrong key'],
  ['malformed', 'Malformed'],
];

/** Before the first token another target takes over; after it the answer is cut. */
const STREAM_FAULTS: Choice[] = [
  ['slow-start', 'Slow first token'],
  ['error-event', 'Error event'],
  ['stall', 'Stalls midway'],
  ['cut', 'Cut midway'],
];

/** Only in the demo: what the stand-in providers should suffer from. */
export function FaultsPanel({ demo }: { demo: Demo }) {
  const [faults, setFaults] = useState<Record<string, Fault>>({});
  const [failed, setFailed] = useState(false);
  const follow = (asking: Promise<Record<string, Fault>>) =>
    asking.then(
      (state) => {
        setFaults(state);
        setFailed(false);
      },
      () => setFailed(true),
    );

  useEffect(() => void follow(readFaults(demo)), [demo]);

  const choose = (provider: string, fault: Fault) => {
    // Shown at once: a radio button that waits for an answer springs back under the keyboard.
    setFaults((shown) => ({ ...shown, [provider]: fault }));
    void follow(setFault(demo, provider, fault));
  };

  const choices = (provider: string, list: Choice[]) => (
    <div className="choices">
      {list.map(([fault, words]) => (
        <label key={fault} className="choice">
          <input
            type="radio"
            name={`fault-${provider}`}
            checked={(faults[provider] ?? 'none') === fault}
            onChange={() => choose(provider, fault)}
          />
          <span>{words}</span>
        </label>
      ))}
    </div>
  );

  return (
    <Panel title="Faults" testId="faults" aside={<span className="quiet">Stand-ins only</span>}>
      {Object.keys(demo.providers).map((provider) => (
        <fieldset key={provider}>
          <legend>{providerName(provider)} is</legend>
          {choices(provider, FAULTS)}
          <p className="choices-lead quiet">While it streams:</p>
          {choices(provider, STREAM_FAULTS)}
        </fieldset>
      ))}
      {failed && (
        <p className="field-problem" role="alert">
          The stand-ins do not answer. Is the demo still running?
        </p>
      )}
    </Panel>
  );
}
