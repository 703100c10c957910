import { useEffect, useRef, useState } from 'react';
import type { AddedSlot, SlotInfo, Status, Tidegate } from 'tidegate';

import { PLACE } from '../place';
import { AskTwice } from './AskTwice';
import { LockRules } from './LockRules';
import { RecoveryCode } from './RecoveryCode';
import { VaultFile } from './VaultFile';
import { WaysIn } from './WaysIn';

interface Props {
  gate: Tidegate;
  status: Status;
  slots: SlotInfo[];
  busy: boolean;
  act: (work: () => Promise<unknown>) => Promise<boolean>;
  attempt: (work: (secret: Uint8Array) => Promise<unknown>, secret?: Uint8Array) => Promise<boolean>;
  changed: () => void;
  reopen: () => void;
}

/** Everything about an open vault beside its keys. */
export function ManageVault({ gate, status, slots, busy, act, attempt, changed, reopen }: Props) {
  const { vault } = gate;
  const [code, setCode] = useState<Uint8Array | null>(null);
  const held = useRef<Uint8Array | null>(null);
  const seen = () => {
    held.current?.fill(0);
    held.current = null;
    setCode(null);
  };
  useEffect(() => () => void held.current?.fill(0), []);
  const added = (made: AddedSlot[]) => {
    const bytes = made.find(({ recoveryCode }) => recoveryCode)?.recoveryCode;
    if (!bytes) return;
    seen();
    held.current = bytes;
    setCode(bytes);
  };

  return (
    <>
      {code && <RecoveryCode code={code} done={seen} />}
      <details className="manage" data-testid="manage">
        <summary>Ways in, export and safety</summary>
        <div className="manage-body">
          <WaysIn gate={gate} slots={slots} busy={busy} attempt={attempt} added={added} />
          <VaultFile gate={gate} busy={busy} attempt={attempt} changed={changed} />
          <div className="ways">
            <h3>Safety</h3>
            <LockRules busy={busy} reopen={reopen} />
            <p className="quiet">
              {PLACE[status.isolation]} While the vault is open, code that runs in this page can use your keys. Give
              them a spending limit at the provider.
            </p>
            <div className="row forget">
              <AskTwice
                words="Forget everything"
                question="Forget all keys, for ever?"
                danger
                busy={busy}
                act={() => void act(() => vault.forget())}
              />
              <span className="quiet">
                Deletes the vault with all its keys from this browser. There is no way back.
              </span>
            </div>
          </div>
        </div>
      </details>
    </>
  );
}
