import type { Status } from 'tidegate';

import { remaining, targetParts } from '../format';
import { useNow } from '../useNow';
import { Panel } from './Panel';
import { Tag } from './Tag';

type Target = Status['targets'][number];

const BREAKER = { closed: ['good', 'Closed'], open: ['bad', 'Open'], 'half-open': ['warn', 'Half-open'] } as const;

const note = (target: Target, now: number): string => {
  if (target.openUntil !== undefined && target.openUntil > now) return `probe in ${remaining(target.openUntil, now)}`;
  if (target.coolingUntil !== undefined && target.coolingUntil > now) {
    return `cooling for ${remaining(target.coolingUntil, now)}`;
  }
  if (target.breaker === 'half-open') return 'the next request is the probe';
  return target.failures > 0 ? `${target.failures} in a row failed` : '';
};

/** The targets in the order in which they are tried, with their circuits. */
export function TargetsPanel({ targets, vault }: { targets: Target[]; vault: Status['vault'] }) {
  // While it is locked nobody knows here which keys are in it.
  const keyless = vault === 'locked' ? 'Locked' : 'None';
  const now = useNow(targets.some((target) => target.openUntil !== undefined || target.coolingUntil !== undefined));
  return (
    <Panel title="Targets" testId="targets">
      <table>
        <caption className="unseen">Targets in the order in which they are tried</caption>
        <thead>
          <tr>
            <th scope="col">Target</th>
            <th scope="col">Key</th>
            <th scope="col">Circuit</th>
          </tr>
        </thead>
        <tbody>
          {targets.map((target) => {
            const { provider, model } = targetParts(target.target);
            const [tone, words] = BREAKER[target.breaker];
            return (
              <tr key={target.target} data-testid={`target-${target.provider}`} data-breaker={target.breaker}>
                <th scope="row">
                  {provider}
                  <span className="quiet break">{model}</span>
                </th>
                <td>{target.keyed ? 'Ready' : <span className="quiet">{keyless}</span>}</td>
                <td>
                  {target.priced ? (
                    <>
                      <Tag tone={tone}>{words}</Tag>
                      <span className="quiet note">{note(target, now)}</span>
                    </>
                  ) : (
                    <>
                      <Tag tone="warn">No price</Tag>
                      <span className="quiet note">passed over: give it one under prices in the configuration</span>
                    </>
                  )}
                </td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </Panel>
  );
}
