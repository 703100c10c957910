import { useRef, useState, type FormEvent } from 'react';

import { providerName } from '../format';
import { takeSecret } from '../secretInput';

interface Props {
  providers: string[];
  busy: boolean;
  put: (provider: string, bytes: Uint8Array) => Promise<boolean>;
}

export function AddKey({ providers, busy, put }: Props) {
  const input = useRef<HTMLInputElement>(null);
  const [chosen, setChosen] = useState<string>();
  const provider = chosen ?? providers[0] ?? '';
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!input.current) return;
    void takeSecret(input.current, async (bytes) => void (await put(provider, bytes)));
  };
  return (
    <form className="row add-key" onSubmit={submit}>
      <label className="field field-short">
        <span>Provider</span>
        <select value={provider} disabled={busy} onChange={(event) => setChosen(event.target.value)}>
          {providers.map((name) => (
            <option key={name} value={name}>
              {providerName(name)}
            </option>
          ))}
        </select>
      </label>
      <label className="field">
        <span>API key</span>
        <input ref={input} type="password" autoComplete="off" spellCheck={false} required disabled={busy} />
      </label>
      <button type="submit" disabled={busy}>
        Add the key
      </button>
    </form>
  );
}
