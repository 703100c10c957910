import { createPasskey, type AddedSlot, type NewSlot, type SlotInfo, type Tidegate } from 'tidegate';

import { day } from '../format';
import { passkeysHere, SLOTS } from '../slots';
import { AskTwice } from './AskTwice';
import { NewPassphrase } from './NewPassphrase';

interface Props {
  gate: Tidegate;
  slots: SlotInfo[];
  busy: boolean;
  /** Does what needs the person, with a secret if there is one. */
  attempt: (work: (secret: Uint8Array) => Promise<unknown>, secret?: Uint8Array) => Promise<boolean>;
  /** A slot was made: its code is to be shown, if it has one. */
  added: (slots: AddedSlot[]) => void;
}

/** The ways into the vault: what each does not protect from, adding and removing them, and a new vault key. */
export function WaysIn({ gate, slots, busy, attempt, added }: Props) {
  const { vault } = gate;
  const add = (slot: NewSlot | (() => Promise<NewSlot>)) =>
    void attempt(async () => added([await vault.addSlot(typeof slot === 'function' ? await slot() : slot)]));
  const own = slots.find(({ kind }) => kind === 'passphrase');
  const has = (kind: SlotInfo['kind']) => slots.some((slot) => slot.kind === kind);

  return (
    <div className="ways">
      <h3>Ways in</h3>
      <ul className="slot-list" data-testid="slots">
        {slots.map((slot) => (
          <li key={slot.id}>
            <span>
              <span className="key-name">{slot.name || SLOTS[slot.kind].title}</span>{' '}
              <span className="quiet">added {day(slot.addedAt)}</span>
              <br />
              <span className="quiet">{SLOTS[slot.kind].limits}</span>
            </span>
            {slots.length > 1 && (
              <AskTwice
                words="Remove"
                question="Remove it?"
                label={`Remove the way in: ${slot.name || SLOTS[slot.kind].title}`}
                busy={busy}
                act={() => void attempt(() => vault.removeSlot(slot.id))}
              />
            )}
          </li>
        ))}
      </ul>
      <div className="row">
        {passkeysHere() && (
          <button type="button" className="small" disabled={busy} onClick={() => add(() => createPasskey())}>
            Add a passkey
          </button>
        )}
        {!has('device') && (
          <button type="button" className="small" disabled={busy} onClick={() => add({ kind: 'device' })}>
            Open without asking on this device
          </button>
        )}
        <button type="button" className="small" disabled={busy} onClick={() => add({ kind: 'recovery' })}>
          Make a recovery code
        </button>
      </div>
      <details>
        <summary>{own ? 'Change the passphrase' : 'Add a passphrase'}</summary>
        <NewPassphrase
          busy={busy}
          label={own ? 'The new passphrase' : 'Passphrase to add'}
          action={own ? 'Change it' : 'Add it'}
          done={(bytes) =>
            attempt(async (passphrase) => {
              const options = own ? { replaces: own.id } : {};
              added([await vault.addSlot({ kind: 'passphrase', passphrase }, options)]);
            }, bytes)
          }
        />
      </details>
      <details>
        <summary>Give the vault a new key</summary>
        <p className="quiet">
          After a way in was lost or seen by others: the vault gets a new key that only this passphrase and a new
          recovery code open. Every other way in is gone. Who copied the vault before still has that copy, so replace
          your keys at the providers too.
        </p>
        <NewPassphrase
          busy={busy}
          label="Passphrase from now on"
          action="Make a new key"
          done={(bytes) =>
            attempt(
              async (passphrase) =>
                added(await vault.rotate([{ kind: 'passphrase', passphrase }, { kind: 'recovery' }])),
              bytes,
            )
          }
        />
      </details>
    </div>
  );
}
