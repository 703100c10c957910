import { useCallback, useEffect, useRef, useState } from 'react';
import type { Status, Tidegate } from 'tidegate';

import { demoKey, type Demo } from '../demo';
import { day, providerName } from '../format';
import { useTask } from '../useTask';
import { AddKey } from './AddKey';
import { AskTwice } from './AskTwice';
import { ProblemNotice } from './ProblemNotice';
import { RevealedKey } from './RevealedKey';

type StoredKey = Awaited<ReturnType<Tidegate['vault']['list']>>[number];

interface Props {
  gate: Tidegate;
  targets: Status['targets'];
  demo: Demo | null;
  busy: boolean;
  act: (work: () => Promise<unknown>) => Promise<boolean>;
  /** Does what the vault wants a confirmation for. */
  attempt: (work: () => Promise<unknown>) => Promise<boolean>;
}

/** The names of the keys in the vault; a key itself is shown only to whoever confirms, and for a short time. */
export function Keys({ gate, targets, demo, busy, act, attempt }: Props) {
  const [shown, setShown] = useState<{ provider: string; secret: Uint8Array } | null>(null);
  const held = useRef<Uint8Array | null>(null);
  const hide = useCallback(() => {
    held.current?.fill(0);
    held.current = null;
    setShown(null);
  }, []);
  useEffect(() => () => void held.current?.fill(0), []);
  const reveal = (provider: string) =>
    void attempt(async () => {
      const secret = await gate.vault.reveal(provider);
      hide();
      held.current = secret;
      setShown({ provider, secret });
    });

  const [keys, setKeys] = useState<StoredKey[] | null>(null);
  const reload = useCallback(async () => setKeys(await gate.vault.list()), [gate]);

  const { problem, run } = useTask();

  // Once per unlock; every change below reloads by itself.
  useEffect(() => void run(reload), [run, reload]);

  const change = (work: () => Promise<void>) =>
    act(async () => {
      await work();
      await reload();
    });

  const putDemoKeys = async (from: Demo) => {
    for (const provider of from.keys) {
      const bytes = await demoKey(provider);
      try {
        await gate.vault.put(provider, bytes);
      } finally {
        bytes.fill(0);
      }
    }
  };

  const providers = [...new Set(targets.map(({ provider }) => provider))];
  const missing = demo && keys && demo.keys.some((provider) => !keys.some((key) => key.provider === provider));

  return (
    <div className="keys">
      {problem && <ProblemNotice problem={problem} testId="keys-problem" />}
      {keys?.length === 0 && <p className="quiet">No key yet. Add one for a provider, and you can send a message.</p>}
      {keys && keys.length > 0 && (
        <ul className="key-list" data-testid="keys">
          {keys.map((key) => (
            <li key={key.provider}>
              <span>
                <span className="key-name">{providerName(key.provider)}</span>{' '}
                <span className="quiet">
                  version {key.version}, added {day(key.addedAt)}
                  {key.lastUsedAt !== undefined && `, used ${day(key.lastUsedAt)}`}
                </span>
              </span>
              <span className="row">
                {shown?.provider !== key.provider && (
                  <button
                    type="button"
                    className="small"
                    disabled={busy}
                    aria-label={`Show the key for ${providerName(key.provider)}`}
                    onClick={() => reveal(key.provider)}
                  >
                    Show
                  </button>
                )}
                <AskTwice
                  words="Remove"
                  question="Remove it?"
                  label={`Remove the key for ${providerName(key.provider)}`}
                  busy={busy}
                  act={() => {
                    hide();
                    void change(() => gate.vault.remove(key.provider));
                  }}
                />
              </span>
              {shown?.provider === key.provider && (
                <RevealedKey secret={shown.secret} label={`Key for ${providerName(key.provider)}`} hide={hide} />
              )}
            </li>
          ))}
        </ul>
      )}
      {missing && (
        <button className="primary" type="button" disabled={busy} onClick={() => void change(() => putDemoKeys(demo))}>
          Use the demo keys
        </button>
      )}
      <details open={keys?.length === 0}>
        <summary>Add or replace a key</summary>
        <AddKey
          providers={providers}
          busy={busy}
          put={(provider, bytes) => change(async () => void (await gate.vault.put(provider, bytes)))}
        />
      </details>
    </div>
  );
}
