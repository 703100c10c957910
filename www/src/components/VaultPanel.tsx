import { useEffect, useRef } from 'react';
import type { Status, Tidegate } from 'tidegate';

import type { Demo } from '../demo';
import { useTask } from '../useTask';
import { CreateVault } from './CreateVault';
import { Keys } from './Keys';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';
import { UnlockVault } from './UnlockVault';

interface Props {
  gate: Tidegate;
  status: Status;
  demo: Demo | null;
  refresh: () => void;
}

export function VaultPanel({ gate, status, demo, refresh }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { busy, problem, run } = useTask();
  const act = async (work: () => Promise<void>) => {
    const done = await run(work);
    refresh();
    return done;
  };

  // The form that had the focus is gone once the vault's state has changed.
  const shown = useRef(status.vault);
  useEffect(() => {
    if (shown.current !== status.vault && document.activeElement === document.body) heading.current?.focus();
    shown.current = status.vault;
  }, [status.vault]);

  return (
    <Panel
      title="Vault"
      testId="vault"
      headingRef={heading}
      aside={
        status.vault === 'unlocked' && (
          <button type="button" className="small" disabled={busy} onClick={() => void act(() => gate.vault.lock())}>
            Lock the vault
          </button>
        )
      }
    >
      {status.vault === 'absent' && <CreateVault busy={busy} create={(bytes) => act(() => gate.vault.create(bytes))} />}
      {status.vault === 'locked' && <UnlockVault busy={busy} unlock={(bytes) => act(() => gate.vault.unlock(bytes))} />}
      {status.vault === 'unlocked' && <Keys gate={gate} targets={status.targets} demo={demo} busy={busy} act={act} />}
      {problem && <ProblemNotice problem={problem} testId="vault-problem" />}
    </Panel>
  );
}
