import { useCallback, useEffect, useRef, useState } from 'react';
import type { AddedSlot, SlotInfo, Tidegate } from 'tidegate';

import { useConfirmed } from '../useConfirmed';
import { OpenSlot } from './OpenSlot';
import { RecoveryCode } from './RecoveryCode';
import { VaultFile } from './VaultFile';
import { WaysIn } from './WaysIn';

interface Props {
  gate: Tidegate;
  busy: boolean;
  act: (work: () => Promise<unknown>) => Promise<boolean>;
  changed: () => void;
}

/** Everything about an open vault beside its keys. */
export function ManageVault({ gate, busy, act, changed }: Props) {
  const { vault } = gate;
  const [slots, setSlots] = useState<SlotInfo[]>([]);
  const [code, setCode] = useState('');
  const { asking, attempt, confirmed, cancel } = useConfirmed(act);
  const confirmHeading = useRef<HTMLHeadingElement>(null);

  const reload = useCallback(() => void vault.slots().then(setSlots, () => setSlots([])), [vault]);
  useEffect(reload, [reload]);
  useEffect(() => {
    if (asking) confirmHeading.current?.focus();
  }, [asking]);

  const attempted: typeof attempt = async (work, secret) => {
    const done = await attempt(work, secret);
    reload();
    return done;
  };
  const added = (made: AddedSlot[]) => {
    const bytes = made.find(({ recoveryCode }) => recoveryCode)?.recoveryCode;
    if (!bytes) return;
    setCode(new TextDecoder().decode(bytes));
    bytes.fill(0);
  };
  const confirm = (key: Parameters<Parameters<typeof OpenSlot>[0]['open']>[0]) =>
    act(async () => {
      await vault.confirm(await key());
      await confirmed();
      reload();
    });

  return (
    <details className="manage" data-testid="manage">
      <summary>Ways in, export and safety</summary>
      <div className="manage-body">
        {asking && (
          <section className="notice notice-plain" data-testid="confirm" aria-labelledby="confirm-title">
            <h3 id="confirm-title" ref={confirmHeading} tabIndex={-1}>
              Show that it is you
            </h3>
            <p className="quiet">This could take a key out of the vault, so it needs you and not just this page.</p>
            <OpenSlot slots={slots} busy={busy} verb="Confirm" open={confirm} />
            <button type="button" className="small" onClick={cancel}>
              Cancel
            </button>
          </section>
        )}
        {code && <RecoveryCode code={code} done={() => setCode('')} />}
        <WaysIn gate={gate} slots={slots} busy={busy} attempt={attempted} added={added} />
        <VaultFile gate={gate} busy={busy} attempt={attempted} changed={changed} />
        <div className="ways">
          <h3>Safety</h3>
          <p className="quiet">
            The vault locks itself after 15 minutes without a key press, a pointer or a request, and when the browser
            puts this page to sleep. Locking it in one tab locks it in all.
          </p>
          <p className="quiet">
            While it is open, code that runs in this page can use your keys. Give them a spending limit at the provider.
          </p>
          <Forget busy={busy} forget={() => void act(() => vault.forget())} />
        </div>
      </div>
    </details>
  );
}

function Forget({ busy, forget }: { busy: boolean; forget: () => void }) {
  return (
    <div className="row">
      <button type="button" className="small danger" disabled={busy} onClick={forget}>
        Forget everything
      </button>
      <span className="quiet">Deletes the vault with all its keys from this browser. There is no way back.</span>
    </div>
  );
}
