import { createPasskey, type NewSlot } from 'tidegate';

import { passkeysHere, SLOTS } from '../slots';
import { NewPassphrase } from './NewPassphrase';

interface Props {
  busy: boolean;
  create: (slot: () => Promise<NewSlot>) => Promise<boolean>;
}

export function CreateVault({ busy, create }: Props) {
  return (
    <div className="open-slot">
      <p className="quiet">
        Your keys are sealed on this device with a passphrase. Nobody can recover it, so keep it safe, or add a recovery
        code once the vault is there.
      </p>
      <NewPassphrase
        busy={busy}
        label="New passphrase"
        action="Create the vault"
        primary
        done={(passphrase) => create(() => Promise.resolve({ kind: 'passphrase', passphrase }))}
      />
      <details>
        <summary>Without a passphrase</summary>
        <dl className="slot-choices">
          {passkeysHere() && (
            <div>
              <dt>
                <button type="button" disabled={busy} onClick={() => void create(() => createPasskey())}>
                  Create with a passkey
                </button>
              </dt>
              <dd className="quiet">{SLOTS.passkey.limits}</dd>
            </div>
          )}
          <div>
            <dt>
              <button
                type="button"
                disabled={busy}
                onClick={() => void create(() => Promise.resolve({ kind: 'device' }))}
              >
                Create for this device
              </button>
            </dt>
            <dd className="quiet">{SLOTS.device.limits}</dd>
          </div>
        </dl>
      </details>
    </div>
  );
}
