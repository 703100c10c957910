import { useRef, useState, type FormEvent } from 'react';
import type { Tidegate } from 'tidegate';

import { providerName } from '../format';
import { takeSecret } from '../secretInput';
import { NewPassphrase } from './NewPassphrase';

interface Props {
  gate: Tidegate;
  busy: boolean;
  attempt: (work: (secret: Uint8Array) => Promise<unknown>, secret?: Uint8Array) => Promise<boolean>;
  /** Keys were taken in. */
  changed: () => void;
}

/** The vault as an encrypted file, to keep or to take to another device. */
export function VaultFile({ gate, busy, attempt, changed }: Props) {
  const file = useRef<HTMLInputElement>(null);
  const passphrase = useRef<HTMLInputElement>(null);
  const [told, setTold] = useState('');

  const take = (event: FormEvent) => {
    event.preventDefault();
    const chosen = file.current?.files?.[0];
    if (!chosen || !passphrase.current) return;
    void takeSecret(passphrase.current, async (bytes) => {
      await attempt(async (secret) => {
        const { providers, skipped } = await gate.vault.importFile(new Uint8Array(await chosen.arrayBuffer()), secret);
        const names = (all: string[]) => all.map(providerName).join(', ') || 'none';
        setTold(
          `Taken in: ${names(providers)}.` + (skipped.length > 0 ? ` Not configured here: ${names(skipped)}.` : ''),
        );
        changed();
      }, bytes);
    });
  };

  return (
    <div className="ways">
      <h3>Encrypted file</h3>
      <details>
        <summary>Export the keys</summary>
        <NewPassphrase
          busy={busy}
          label="Passphrase of the file"
          action="Export"
          done={(bytes) =>
            attempt(async (secret) => {
              save(await gate.vault.exportFile(secret));
              setTold('The file was saved. It opens with its own passphrase.');
            }, bytes)
          }
        />
      </details>
      <details>
        <summary>Import a file</summary>
        <form className="row" onSubmit={take}>
          <label className="field">
            <span>File</span>
            <input ref={file} type="file" accept=".tgvault" required disabled={busy} />
          </label>
          <label className="field">
            <span>Its passphrase</span>
            <input ref={passphrase} type="password" autoComplete="off" required disabled={busy} />
          </label>
          <button type="submit" disabled={busy}>
            Import
          </button>
        </form>
      </details>
      <p className="quiet" role="status">
        {told}
      </p>
    </div>
  );
}

function save(bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'keys.tgvault';
  link.click();
  URL.revokeObjectURL(url);
}
