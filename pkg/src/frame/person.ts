// One thing at a time, what became of it in words, and the person's confirmation where the vault wants one.

import { TidegateError, toError } from '../errors.js';
import type { GateVault } from '../gate.js';
import { askPasskey } from '../vault/passkey.js';
import { wipe } from '../vault/slots.js';
import type { SlotInfo, SlotKey } from '../vault/types.js';
import { find, taken } from './dom.js';

/** What is done with a secret, if it has one. Its result's `warnings` or the text it gives are shown. */
export type Work = (secret: Uint8Array) => Promise<unknown>;

/** What is done for the person. */
export interface Person {
  /** Runs the work unless another runs; true if it was done. */
  act(work: () => Promise<unknown>): Promise<boolean>;
  /** The same; if the vault wants a confirmation first, it is asked for, and the work is done after it. Wipes `secret`. */
  attempt(work: Work, secret?: Uint8Array): Promise<boolean>;
  /** The slots changed: offers these to unlock, or to confirm with. */
  offer(slots: SlotInfo[]): void;
  /** Drops what waits, and what was said. */
  drop(): void;
  say(text: string): void;
}

const words = ({ message, fields = [] }: TidegateError) =>
  fields.length > 0 ? fields.map(({ path, problem }) => `${path}: ${problem}`).join('. ') : message;

const wantsPerson = ({ code, fields }: TidegateError) =>
  code === 'vault_locked' && fields?.[0]?.path === 'confirm' && fields[0].problem.startsWith('is needed');

/** Wires the opener. `refresh` is called after everything. */
export function personOf(vault: GateVault, refresh: () => Promise<void>): Person {
  const told = find('#told');
  const main = find('main');
  let busy = false;
  let slots: SlotInfo[] = [];
  let waiting: { work: Work; secret: Uint8Array } | undefined;

  const say = (text: string, problem = false) => {
    told.textContent = text;
    told.className = problem ? 'problem' : '';
  };

  const act = async (work: () => Promise<unknown>) => {
    if (busy) return false;
    busy = true;
    main.ariaBusy = 'true';
    say('');
    try {
      const result = await work();
      const { warnings = [] } = (result ?? {}) as { warnings?: string[] };
      say(typeof result === 'string' ? result : warnings.join(' '));
      return true;
    } catch (error) {
      say(words(toError(error)), true);
      return false;
    } finally {
      busy = false;
      main.ariaBusy = 'false';
      await refresh();
    }
  };

  const drop = () => {
    wipe(waiting?.secret);
    waiting = undefined;
    say('');
    show();
  };

  const doing = async (work: Work, secret: Uint8Array) => {
    let waits = false;
    try {
      return await work(secret.slice());
    } catch (thrown) {
      waits = wantsPerson(toError(thrown));
      if (!waits) throw thrown;
      waiting = { work, secret };
      show();
      find('#opener-title').focus();
    } finally {
      if (!waits) wipe(secret);
    }
    return undefined;
  };

  const attempt = (work: Work, secret = new Uint8Array()) => {
    if (busy) {
      wipe(secret);
      return Promise.resolve(false);
    }
    drop();
    return act(() => doing(work, secret));
  };

  const show = () => {
    const asking = waiting !== undefined;
    document.body.toggleAttribute('data-asking', asking);
    find('#opener-title').textContent = asking ? 'Show that it is you' : 'The vault is locked';
    find('#opener-why').textContent = asking
      ? 'This could take a key out of the vault, so it needs you.'
      : 'Your keys stay sealed until you open it.';
    find('#by-passphrase span').textContent = asking ? 'Your passphrase' : 'Passphrase';
    const has = (kind: SlotInfo['kind']) => slots.some((slot) => slot.kind === kind);
    find('#by-passphrase').hidden = !has('passphrase');
    find('#by-passkey').hidden = !has('passkey');
    // A device asks nobody: it shows that somebody is there only where there is no other way.
    find('#by-device').hidden = !has('device') || (asking && slots.length > 1);
    find('#by-recovery').hidden = !has('recovery');
    for (const element of document.querySelectorAll<HTMLElement>('[data-verb]')) {
      element.textContent = (asking ? 'Confirm' : 'Unlock') + (element.dataset['verb'] ?? '');
    }
  };

  const open = (key: () => SlotKey | Promise<SlotKey>) =>
    void act(async () => {
      const { work, secret } = waiting ?? {};
      if (!work || !secret) return void (await vault.unlock(await key()));
      await vault.confirm(await key());
      waiting = undefined;
      show();
      return doing(work, secret);
    });
  const typed = (form: string, keyOf: (bytes: Uint8Array) => SlotKey) => {
    find<HTMLFormElement>(form).onsubmit = (event) => {
      event.preventDefault();
      if (busy) return;
      const bytes = taken(find<HTMLInputElement>(`${form} label input`));
      open(() => keyOf(bytes));
    };
  };
  typed('#by-passphrase', (passphrase) => ({ kind: 'passphrase', passphrase }));
  typed('#recovery', (code) => ({ kind: 'recovery', code }));
  find('#by-passkey').onclick = () => open(() => askPasskey(slots));
  find('#by-device').onclick = () => open(() => ({ kind: 'device' }));
  find('#cancel').onclick = drop;

  return {
    act,
    attempt,
    drop,
    say,
    offer(now) {
      slots = now;
      show();
    },
  };
}
