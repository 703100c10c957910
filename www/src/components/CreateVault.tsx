import { useRef, useState, type FormEvent } from 'react';

import { takeSecret } from '../secretInput';

export function CreateVault({ busy, create }: { busy: boolean; create: (bytes: Uint8Array) => Promise<boolean> }) {
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  const [differ, setDiffer] = useState(false);

  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!first.current || !second.current) return;
    const same = first.current.value === second.current.value;
    second.current.value = '';
    setDiffer(!same);
    if (!same) {
      second.current.focus();
      return;
    }
    void takeSecret(first.current, async (bytes) => void (await create(bytes)));
  };

  return (
    <form className="row" onSubmit={submit}>
      <p className="row-lead">
        Your keys are sealed on this device with a passphrase. Nobody can recover it, so keep it safe.
      </p>
      {/* Password managers file a passphrase under a name. */}
      <input type="text" autoComplete="username" value="Tidegate vault" readOnly hidden />
      <label className="field">
        <span>New passphrase</span>
        <input ref={first} type="password" autoComplete="new-password" required disabled={busy} />
      </label>
      <label className="field">
        <span>The same again</span>
        <input
          ref={second}
          type="password"
          autoComplete="new-password"
          required
          disabled={busy}
          aria-invalid={differ}
          aria-describedby={differ ? 'passphrases-differ' : undefined}
        />
      </label>
      <button className="primary" type="submit" disabled={busy}>
        {busy ? 'Creating …' : 'Create the vault'}
      </button>
      {differ && (
        <p className="field-problem" id="passphrases-differ" role="alert">
          The two passphrases differ. Enter the second one again.
        </p>
      )}
    </form>
  );
}
