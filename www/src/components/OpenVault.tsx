import { useCallback, useEffect, useState } from 'react';
import type { SlotInfo, SlotKey, Status, Tidegate } from 'tidegate';

import type { Demo } from '../demo';
import { useConfirmed } from '../useConfirmed';
import { ConfirmPerson } from './ConfirmPerson';
import { Keys } from './Keys';
import { ManageVault } from './ManageVault';

interface Props {
  gate: Tidegate;
  status: Status;
  demo: Demo | null;
  busy: boolean;
  act: (work: () => Promise<unknown>) => Promise<boolean>;
  reopen: () => void;
}

/** An open vault: its keys, and everything beside them. */
export function OpenVault({ gate, status, demo, busy, act, reopen }: Props) {
  const { vault } = gate;
  const [slots, setSlots] = useState<SlotInfo[]>([]);
  const [imports, setImports] = useState(0);
  const { asking, attempt, confirmed, cancel } = useConfirmed(act);

  const reload = useCallback(() => void vault.slots().then(setSlots, () => setSlots([])), [vault]);
  useEffect(reload, [reload]);

  const attempted: typeof attempt = async (work, secret) => {
    const done = await attempt(work, secret);
    reload();
    return done;
  };
  const confirm = (key: () => Promise<SlotKey>) =>
    act(async () => {
      await vault.confirm(await key());
      await confirmed();
      reload();
    });

  return (
    <>
      {asking && <ConfirmPerson slots={slots} busy={busy} confirm={confirm} cancel={cancel} />}
      <Keys key={imports} gate={gate} targets={status.targets} demo={demo} busy={busy} act={act} attempt={attempted} />
      <ManageVault
        gate={gate}
        status={status}
        slots={slots}
        busy={busy}
        act={act}
        attempt={attempted}
        changed={() => setImports((last) => last + 1)}
        reopen={reopen}
      />
    </>
  );
}
