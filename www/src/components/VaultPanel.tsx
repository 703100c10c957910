import { useEffect, useRef, useState } from 'react';
import type { SlotInfo, Status, Tidegate } from 'tidegate';

import type { Demo } from '../demo';
import { useTask } from '../useTask';
import { CreateVault } from './CreateVault';
import { OpenSlot } from './OpenSlot';
import { OpenVault } from './OpenVault';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';

interface Props {
  gate: Tidegate;
  status: Status;
  demo: Demo | null;
  refresh: () => void;
  reopen: () => void;
}

export function VaultPanel({ gate, status, demo, refresh, reopen }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  const { busy, problem, run } = useTask();
  const [slots, setSlots] = useState<SlotInfo[]>([]);
  const act = async (work: () => Promise<unknown>) => {
    const done = await run(work);
    refresh();
    // The button that was pressed may be gone: then the focus would be nowhere.
    requestAnimationFrame(() => {
      if (document.activeElement === document.body) heading.current?.focus({ preventScroll: true });
    });
    return done;
  };

  // The form that had the focus is gone once the vault's state has changed.
  const shown = useRef(status.vault);
  useEffect(() => {
    if (shown.current !== status.vault && document.activeElement === document.body) heading.current?.focus();
    shown.current = status.vault;
  }, [status.vault]);

  useEffect(() => {
    if (status.vault === 'locked') void gate.vault.slots().then(setSlots, () => setSlots([]));
  }, [gate, status.vault]);

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
      {status.vault === 'absent' && (
        <CreateVault busy={busy} create={(slot) => act(async () => gate.vault.create(await slot()))} />
      )}
      {status.vault === 'locked' && (
        <>
          <p className="row-lead">The vault is locked. Your keys stay sealed until you open it.</p>
          <OpenSlot
            slots={slots}
            busy={busy}
            verb="Unlock"
            open={(key) => act(async () => gate.vault.unlock(await key()))}
          />
        </>
      )}
      {status.vault === 'unlocked' && (
        <OpenVault gate={gate} status={status} demo={demo} busy={busy} act={act} reopen={reopen} />
      )}
      {problem && <ProblemNotice problem={problem} testId="vault-problem" />}
    </Panel>
  );
}
