import { useRef, type FormEvent } from 'react';

import { takeSecret } from '../secretInput';

export function UnlockVault({ busy, unlock }: { busy: boolean; unlock: (bytes: Uint8Array) => Promise<boolean> }) {
  const input = useRef<HTMLInputElement>(null);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!input.current) return;
    void takeSecret(input.current, async (bytes) => {
      if (!(await unlock(bytes))) input.current?.focus();
    });
  };
  return (
    <form className="row" onSubmit={submit}>
      <p className="row-lead">The vault is locked. Your keys stay sealed until you enter the passphrase.</p>
      {/* Password managers file a passphrase under a name. */}
      <input type="text" autoComplete="username" value="Tidegate vault" readOnly hidden />
      <label className="field">
        <span>Passphrase</span>
        <input ref={input} type="password" autoComplete="current-password" required disabled={busy} />
      </label>
      <button className="primary" type="submit" disabled={busy}>
        {busy ? 'Unlocking …' : 'Unlock'}
      </button>
    </form>
  );
}
