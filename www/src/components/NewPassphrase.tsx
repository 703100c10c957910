import { useId, useRef, useState, type FormEvent } from 'react';

import { takeSecret } from '../secretInput';

interface Props {
  busy: boolean;
  /** Of the field and of the button. */
  label: string;
  action: string;
  primary?: boolean;
  done: (bytes: Uint8Array) => Promise<boolean>;
}

/**
 * What NIST SP 800-63B (revision 4) asks of a password that nothing else stands beside: whoever has a copy of the vault, or
 * of an exported file, can guess without anybody counting. A vault that is there opens with whatever it was made with.
 */
const LEAST = 15;

/** A new passphrase, entered twice: nobody can look at it afterwards. */
export function NewPassphrase({ busy, label, action, primary = false, done }: Props) {
  const first = useRef<HTMLInputElement>(null);
  const second = useRef<HTMLInputElement>(null);
  const [differ, setDiffer] = useState(false);
  const [id, hint] = [useId(), useId()];

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
    void takeSecret(first.current, async (bytes) => void (await done(bytes)));
  };

  return (
    <form className="row" onSubmit={submit}>
      {/* Password managers file a passphrase under a name. */}
      <input type="text" autoComplete="username" value="Tidegate vault" readOnly hidden />
      {/* Before its field: below it, on a small screen, it would stand behind the button. */}
      <p className="field-hint quiet" id={hint}>
        At least {LEAST} characters. Four or five words that nobody would put together are easy to keep in mind.
      </p>
      <label className="field">
        <span>{label}</span>
        <input
          ref={first}
          type="password"
          autoComplete="new-password"
          minLength={LEAST}
          required
          disabled={busy}
          aria-describedby={hint}
        />
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
          aria-describedby={differ ? id : undefined}
        />
      </label>
      <button className={primary ? 'primary' : undefined} type="submit" disabled={busy}>
        {busy ? 'One moment …' : action}
      </button>
      {differ && (
        <p className="field-problem" id={id} role="alert">
          The two passphrases differ. Enter the second one again.
        </p>
      )}
    </form>
  );
}
