import { useState, type FormEvent } from 'react';

import { keepLockRules, readLockRules, type LockRules as Rules } from '../lockRules';

const MINUTE_MS = 60_000;
const SPANS: [ms: number, words: string][] = [
  [MINUTE_MS, '1 minute'],
  [5 * MINUTE_MS, '5 minutes'],
  [15 * MINUTE_MS, '15 minutes'],
  [60 * MINUTE_MS, '1 hour'],
  [0, 'Never'],
];

interface Props {
  busy: boolean;
  /** Opens the gateway anew, with what is kept now. */
  reopen: () => void;
}

/** When the vault locks itself. */
export function LockRules({ busy, reopen }: Props) {
  const [kept, setKept] = useState(readLockRules);
  const [rules, setRules] = useState(kept);
  const [failed, setFailed] = useState(false);
  const same = JSON.stringify(kept) === JSON.stringify(rules);

  const save = (event: FormEvent) => {
    event.preventDefault();
    try {
      keepLockRules(rules);
    } catch {
      setFailed(true);
      return;
    }
    setKept(rules);
    reopen();
  };
  const span = (name: 'idleMs' | 'hiddenMs', label: string) => (
    <label className="field">
      <span>{label}</span>
      <select
        value={rules[name]}
        disabled={busy}
        onChange={(event) => setRules((before: Rules) => ({ ...before, [name]: Number(event.target.value) }))}
      >
        {SPANS.map(([ms, words]) => (
          <option key={ms} value={ms}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );

  return (
    <form className="lock-rules" onSubmit={save}>
      <p className="quiet">
        The vault locks itself when nobody is there. Locking it in one tab locks it in all; the rules are for this
        browser.
      </p>
      <div className="row">
        {span('idleMs', 'Without a key, pointer or request for')}
        {span('hiddenMs', 'While this page is hidden for')}
      </div>
      <label className="inline">
        <input
          type="checkbox"
          checked={rules.frozen}
          disabled={busy}
          onChange={(event) => setRules((before: Rules) => ({ ...before, frozen: event.target.checked }))}
        />
        <span>When the browser puts this page to sleep</span>
      </label>
      <div className="row">
        <button type="submit" className="small" disabled={busy || same}>
          Keep these rules
        </button>
        <span className="quiet" role="status">
          {failed
            ? 'This browser keeps no settings for this page.'
            : !same && 'The vault locks once, and follows them.'}
        </span>
      </div>
    </form>
  );
}
