import { useRef, type FormEvent } from 'react';
import { askPasskey, type SlotInfo, type SlotKey } from 'tidegate';

import { takeSecret } from '../secretInput';

interface Props {
  slots: SlotInfo[];
  busy: boolean;
  /** What is done with what opens a slot. */
  open: (key: () => Promise<SlotKey>) => Promise<boolean>;
  verb: 'Unlock' | 'Confirm';
}

/** The ways to open a vault that it has: a passphrase, a passkey, this device, a recovery code. */
export function OpenSlot({ slots, busy, open, verb }: Props) {
  const passphrase = useRef<HTMLInputElement>(null);
  const code = useRef<HTMLInputElement>(null);
  const has = (kind: SlotInfo['kind']) => slots.some((slot) => slot.kind === kind);
  // A device asks nobody: it shows that somebody is there only where there is no other way.
  const device = has('device') && (verb === 'Unlock' || slots.length === 1);
  const label = verb === 'Unlock' ? 'Passphrase' : 'Your passphrase';

  const submit = (input: HTMLInputElement | null, keyOf: (bytes: Uint8Array) => SlotKey) => (event: FormEvent) => {
    event.preventDefault();
    if (!input) return;
    void takeSecret(input, async (bytes) => {
      if (!(await open(() => Promise.resolve(keyOf(bytes))))) input.focus();
    });
  };

  return (
    <div className="open-slot">
      {has('passphrase') && (
        <form
          className="row"
          onSubmit={(event) =>
            submit(passphrase.current, (bytes) => ({ kind: 'passphrase', passphrase: bytes }))(event)
          }
        >
          {/* Password managers file a passphrase under a name. */}
          <input type="text" autoComplete="username" value="Tidegate vault" readOnly hidden />
          <label className="field">
            <span>{label}</span>
            <input ref={passphrase} type="password" autoComplete="current-password" required disabled={busy} />
          </label>
          <button className="primary" type="submit" disabled={busy}>
            {busy ? 'One moment …' : verb}
          </button>
        </form>
      )}
      {(has('passkey') || device) && (
        <div className="row">
          {has('passkey') && (
            <button type="button" disabled={busy} onClick={() => void open(() => askPasskey(slots))}>
              {verb} with a passkey
            </button>
          )}
          {device && (
            <button type="button" disabled={busy} onClick={() => void open(() => Promise.resolve({ kind: 'device' }))}>
              {verb} with this device
            </button>
          )}
        </div>
      )}
      {has('recovery') && (
        <details>
          <summary>{verb} with the recovery code</summary>
          <form
            className="row"
            onSubmit={(event) => submit(code.current, (bytes) => ({ kind: 'recovery', code: bytes }))(event)}
          >
            <label className="field">
              <span>Recovery code</span>
              <input ref={code} type="password" autoComplete="off" spellCheck={false} required disabled={busy} />
            </label>
            <button type="submit" disabled={busy}>
              {verb} with the code
            </button>
          </form>
        </details>
      )}
    </div>
  );
}
