// What a person sees of the vault in the frame. Secrets are typed, asked for and shown here, and in no other page.

import { invalid } from '../errors.js';
import type { Gate } from '../gate.js';
import type { TidegateConfig, VaultState } from '../types.js';
import { createPasskey } from '../vault/passkey.js';
import { wipe } from '../vault/slots.js';
import type { AddedSlot, NewSlot } from '../vault/types.js';
import { button, find, line, taken, twice } from './dom.js';
import { personOf, type Work } from './person.js';
import { shown } from './shown.js';
import { SLOTS } from './words.js';

const STATES: Record<VaultState, string> = { absent: 'No vault yet', locked: 'Locked', unlocked: 'Unlocked' };

const dayOf = (at: number) => new Date(at).toLocaleDateString(undefined, { dateStyle: 'medium' });

/** Shows the vault of `gate` and follows its state. */
export function showVault(gate: Gate, config: TidegateConfig): void {
  const { vault } = gate;
  const key = shown();

  // An answer that is late must not draw over a newer one.
  let asked = 0;
  let drawn = '';
  const refresh = async () => {
    asked += 1;
    const turn = asked;
    const { vault: state, targets } = await gate.status();
    const [keys, slots] = state === 'absent' ? [[], []] : await Promise.all([vault.list(), vault.slots()]);
    if (turn !== asked) return;
    const changed = document.body.dataset['vault'] !== state;
    document.body.dataset['vault'] = state;
    find('#state').textContent = STATES[state];
    if (changed && state !== 'unlocked') {
      key.hide();
      person.drop();
      hideCode();
    }
    person.offer(slots);
    const providers = find<HTMLSelectElement>('#provider');
    const known = [...new Set([...targets.map(({ provider }) => provider), ...Object.keys(config.providers ?? {})])];
    if (providers.options.length !== known.length) {
      providers.replaceChildren(...known.map((provider) => new Option(provider)));
    }
    find('#none').hidden = keys.length > 0;
    // Lines that say the same stay, with the focus, the question or the key that is in them.
    const now = JSON.stringify([keys.map(({ provider, version }) => [provider, version]), slots.map(({ id }) => id)]);
    if (now === drawn) return;
    drawn = now;
    key.hide();
    find('#keys').replaceChildren(...keys.map((stored) => keyLine(stored.provider, stored.origin, stored.addedAt)));
    find('#slots').replaceChildren(
      ...slots.map(({ id, kind, name, addedAt }) => {
        const title = name || SLOTS[kind].title;
        const remove = button('Remove', `Remove the way in: ${title}`, () => undefined);
        remove.hidden = slots.length < 2;
        twice(remove, 'Remove it?', () => void attempt(() => vault.removeSlot(id)));
        return line(title, `Added ${dayOf(addedAt)}. ${SLOTS[kind].limits}`, remove);
      }),
    );
    find('#add-device').hidden = slots.some(({ kind }) => kind === 'device');
  };
  const person = personOf(vault, refresh);
  const { act, attempt } = person;

  const keyLine = (provider: string, origin: string, addedAt: number) => {
    const show = button('Show', `Show the key of ${provider}`, () => {
      if (show.textContent === 'Hide') return key.hide();
      void attempt(async () => {
        const secret = await vault.reveal(provider);
        show.textContent = 'Hide';
        show.setAttribute('aria-label', `Hide the key of ${provider}`);
        key.show(item, secret, () => {
          show.textContent = 'Show';
          show.setAttribute('aria-label', `Show the key of ${provider}`);
          person.say('');
        });
        return 'The key is shown for 30 seconds.';
      });
    });
    const forget = button('Forget', `Forget the key of ${provider}`, () => undefined);
    twice(forget, 'Forget it?', () => void act(() => vault.remove(provider)));
    const item = line(provider, `Sent to ${origin} only. Added ${dayOf(addedAt)}.`, show, forget);
    return item;
  };

  const hideCode = () => {
    find('#code code').textContent = '';
    find('#code').hidden = true;
  };
  const added = (made: AddedSlot[]) => {
    const code = made.find(({ recoveryCode }) => recoveryCode)?.recoveryCode;
    if (!code) return;
    find('#code code').textContent = new TextDecoder().decode(code);
    wipe(code);
    find('#code').hidden = false;
    find('#code-title').focus();
  };
  find('#code button').onclick = hideCode;

  /** Forms that take a new passphrase, twice: nobody can look at it afterwards. */
  const doubled = (form: string, work: (bytes: Uint8Array) => Promise<unknown>) => {
    const [first, second] = document.querySelectorAll<HTMLInputElement>(`${form} label input`);
    find<HTMLFormElement>(form).onsubmit = (event) => {
      event.preventDefault();
      const same = first!.value === second!.value;
      second!.value = '';
      if (same) return void work(taken(first!));
      second!.focus();
      void act(() => Promise.reject(invalid('passphrase', 'was not the same twice: enter the second one again')));
    };
  };
  const passphraseThen = (work: Work) => (bytes: Uint8Array) => attempt(work, bytes);
  doubled(
    '#create',
    passphraseThen(async (passphrase) => void (await vault.create(passphrase))),
  );
  doubled(
    '#passphrase',
    passphraseThen(async (passphrase) => {
      const own = (await vault.slots()).find(({ kind }) => kind === 'passphrase');
      await vault.addSlot({ kind: 'passphrase', passphrase }, own ? { replaces: own.id } : {});
      return 'The passphrase is set.';
    }),
  );
  doubled(
    '#rotate',
    passphraseThen(async (passphrase) =>
      added(await vault.rotate([{ kind: 'passphrase', passphrase }, { kind: 'recovery' }])),
    ),
  );
  doubled(
    '#export',
    passphraseThen(async (passphrase) => {
      save(await vault.exportFile(passphrase));
      return 'The file was saved. It opens with its own passphrase.';
    }),
  );
  find<HTMLFormElement>('#import').onsubmit = (event) => {
    event.preventDefault();
    const file = find<HTMLInputElement>('#import input[type=file]').files?.[0];
    const passphrase = taken(find<HTMLInputElement>('#import input[type=password]'));
    void attempt(async (secret) => {
      const { providers, skipped } = await vault.importFile(new Uint8Array(await file!.arrayBuffer()), secret);
      const left = skipped.length > 0 ? ` Not configured here: ${skipped.join(', ')}.` : '';
      return `Taken in: ${providers.join(', ') || 'none'}.${left}`;
    }, passphrase);
  };
  find<HTMLFormElement>('#put').onsubmit = (event) => {
    event.preventDefault();
    const bytes = taken(find<HTMLInputElement>('#put input'));
    void attempt((secret) => vault.put(find<HTMLSelectElement>('#provider').value, secret), bytes);
  };

  const making = (id: string, slot: () => NewSlot | Promise<NewSlot>) => {
    find(`#create-${id}`).onclick = () => void act(async () => void (await vault.create(await slot())));
  };
  const adding = (id: string, slot: () => NewSlot | Promise<NewSlot>) => {
    find(`#add-${id}`).onclick = () => void attempt(async () => added([await vault.addSlot(await slot())]));
  };
  making('passkey', () => createPasskey());
  making('device', () => ({ kind: 'device' }));
  adding('passkey', () => createPasskey());
  adding('device', () => ({ kind: 'device' }));
  adding('recovery', () => ({ kind: 'recovery' }));

  find('#lock').onclick = () => void act(() => vault.lock());
  twice(find<HTMLButtonElement>('#forget'), 'Forget all keys, for ever?', () => void act(() => vault.forget()));

  find('#host').textContent = location.host;
  for (const element of document.querySelectorAll<HTMLElement>('[data-limits]')) {
    element.textContent = SLOTS[element.dataset['limits'] as keyof typeof SLOTS].limits;
  }
  // Passkeys are bound to names: a page at an IP address has none.
  if (/^[\d.]+$|:/.test(location.hostname)) {
    for (const element of document.querySelectorAll<HTMLElement>('.passkeys')) element.hidden = true;
  }
  // An app may lock it, and so do time and other tabs.
  gate.on('vault-lock', () => void refresh());
  addEventListener('focus', () => void refresh());
  addEventListener('pointerenter', () => void refresh());
  void refresh();
}

function save(bytes: Uint8Array): void {
  const url = URL.createObjectURL(new Blob([bytes as BlobPart], { type: 'application/octet-stream' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = 'keys.tgvault';
  link.click();
  URL.revokeObjectURL(url);
}
