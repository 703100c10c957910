// What a person sees of the vault in the frame: make it, unlock it, put keys into it. Plain elements of frame.html.

import { toError } from '../errors.js';
import type { Gate } from '../gate.js';
import type { TidegateConfig } from '../types.js';

const find = <E extends HTMLElement>(selector: string): E => {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`frame.html has no ${selector}`);
  return element;
};

/** Takes a secret out of its field as bytes; the field is empty at once. */
function taken(input: HTMLInputElement): Uint8Array {
  // The same passphrase typed on another keyboard may be composed of other code points.
  const bytes = new TextEncoder().encode(input.value.normalize('NFKC'));
  input.value = '';
  return bytes;
}

/** Shows the vault of `gate` and follows its state. */
export function showVault(gate: Gate, config: TidegateConfig): void {
  const output = find<HTMLOutputElement>('output');
  const providers = find<HTMLSelectElement>('#provider');
  const list = find<HTMLUListElement>('#keys');

  const refresh = async () => {
    const { vault, targets } = await gate.status();
    document.body.dataset.vault = vault;
    const known = [...new Set([...targets.map(({ provider }) => provider), ...Object.keys(config.providers ?? {})])];
    if (providers.options.length !== known.length) {
      providers.replaceChildren(...known.map((provider) => new Option(provider)));
    }
    const keys = vault === 'absent' ? [] : await gate.vault.list();
    const items = keys.map(({ provider, origin }) => {
      const item = document.createElement('li');
      item.textContent = `${provider}: sent to ${origin} only `;
      const remove = document.createElement('button');
      remove.type = 'button';
      remove.textContent = `Forget the key of ${provider}`;
      remove.onclick = () => void act(() => gate.vault.remove(provider));
      item.append(remove);
      return item;
    });
    list.replaceChildren(...items);
  };

  const act = async (work: () => Promise<unknown>) => {
    output.textContent = '';
    try {
      const result = await work();
      const { warnings = [] } = (result ?? {}) as { warnings?: string[] };
      output.textContent = warnings.join(' ');
    } catch (error) {
      output.textContent = toError(error).message;
    }
    await refresh();
  };

  const form = (name: string, work: (input: HTMLInputElement) => Promise<unknown>) => {
    const element = find<HTMLFormElement>(`#${name}`);
    const input = find<HTMLInputElement>(`#${name} input`);
    element.onsubmit = (event) => {
      event.preventDefault();
      void act(() => work(input));
    };
  };
  form('create', (input) => gate.vault.create(taken(input)));
  form('unlock', (input) => gate.vault.unlock(taken(input)));
  form('put', (input) => gate.vault.put(providers.value, taken(input)));
  find<HTMLButtonElement>('#lock').onclick = () => void act(() => gate.vault.lock());

  // An app may lock it, and other tabs may change it.
  addEventListener('focus', () => void refresh());
  addEventListener('pointerenter', () => void refresh());
  void refresh();
}
