// Streams and gates that are left in every way there is: nothing stays held, every failure has a type, whoever waits is told.

import { ask, asked, code, openGate, pause, report } from '/report.js';

const PASSPHRASE = 'correct horse battery staple';
let number = 0;
/** A gate of its own for a provider of this kind: `provider` answers, `endless` streams without an end, `hang` is silent. */
const gateOf = (kind = 'endless', config = {}) =>
  openGate({
    name: `ends-${asked.get('isolation')}-${(number += 1)}`,
    providers: { groq: { baseUrl: asked.get(kind) } },
    ...config,
  });
const stream = (gate, options) =>
  gate.chat({ messages: [{ role: 'user', content: 'hello' }], max_tokens: 8, stream: true }, options);
/** What is not told within seconds is told never. */
const soon = (work) => Promise.race([work, pause(5_000).then(() => 'never')]);
/** How a stream ended, and what it still holds. */
async function settled(gate, { result }) {
  const told = await soon(code(result));
  return `${told} ${(await gate.budget.status()).reservedNanoUsd}`;
}
const REASONS = [undefined, null, 'a text', 0, Object.freeze({ frozen: true }), Symbol('symbol'), () => 1];
/** One word where all came to the same. */
const each = async (items, work) => [...new Set(await Promise.all(items.map(work)))].join();
const URL_OF_GROQ = 'https://api.groq.com/openai/v1/chat/completions';
const sdk = (gate, signal) => {
  const body = {
    model: 'openai/gpt-oss-20b',
    messages: [{ role: 'user', content: `${Math.random()}` }],
    max_tokens: 8,
  };
  return gate.fetch(URL_OF_GROQ, { method: 'POST', body: JSON.stringify(body), signal });
};

await report({
  async breaks() {
    const gate = await gateOf();
    const left = await stream(gate);
    for await (const _chunk of left) break;
    return settled(gate, left);
  },
  /** A generator alone would wait for the chunk, which may never come. */
  async returnsWhileWaiting() {
    const gate = await gateOf();
    const left = await stream(gate);
    const chunks = left[Symbol.asyncIterator]();
    await chunks.next();
    const waiting = chunks.next();
    const told = [await soon(chunks.return().then(({ done }) => done)), await soon(waiting.then(() => 'told', code))];
    return [...told, await settled(gate, left)];
  },
  async returnsBeforeTheFirst() {
    const gate = await gateOf();
    const left = await stream(gate);
    await left[Symbol.asyncIterator]().return();
    return settled(gate, left);
  },
  async throwsIn() {
    const gate = await gateOf();
    const left = await stream(gate);
    const chunks = left[Symbol.asyncIterator]();
    await chunks.next();
    return [await chunks.throw(new RangeError('mine')).catch(({ name }) => name), await settled(gate, left)];
  },
  async readTwice() {
    const gate = await gateOf('provider');
    const read = await stream(gate);
    const all = async () => {
      for await (const _chunk of read);
    };
    const [first, second] = await Promise.all([code(all()), code(all())]);
    return [first, second, await code(all()), await settled(gate, read)];
  },
  async teed() {
    const gate = await gateOf();
    const left = await stream(gate);
    const [one, other] = left.readable.tee();
    const cancelled = one.cancel('one');
    const reader = other.getReader();
    await reader.read();
    await Promise.all([cancelled, reader.cancel('the other')]);
    return settled(gate, left);
  },
  cancelReasons: () =>
    each(REASONS, async (reason) => {
      const gate = await gateOf();
      const left = await stream(gate);
      await left.readable.cancel(reason);
      return settled(gate, left);
    }),
  abortReasons: () =>
    each(REASONS, async (reason) => {
      const gate = await gateOf();
      const aborting = new AbortController();
      const left = await stream(gate, { signal: aborting.signal });
      const reading = code(
        (async () => {
          for await (const _chunk of left);
        })(),
      );
      aborting.abort(reason);
      return `${await soon(reading)} ${await settled(gate, left)}`;
    }),
  async abortedBefore() {
    const gate = await gateOf('hang');
    const chat = (reason) => code(stream(gate, { signal: AbortSignal.abort(reason) }));
    // As the platform's own: what was given is what is thrown.
    const same = (reason) => sdk(gate, AbortSignal.abort(reason)).catch((thrown) => Object.is(thrown, reason));
    return [await each(REASONS, chat), await each(REASONS.slice(1), same)];
  },
  async abortedMeanwhile() {
    const gate = await gateOf('hang');
    const told = await each(REASONS.slice(1), async (reason) => {
      const aborting = new AbortController();
      const chat = code(ask(gate, String(Math.random()), {}, aborting.signal));
      const fetching = sdk(gate, aborting.signal).catch((thrown) => Object.is(thrown, reason));
      await pause(300);
      aborting.abort(reason);
      return `${await soon(chat)} ${await soon(fetching)}`;
    });
    return `${told} ${(await gate.budget.status()).reservedNanoUsd}`;
  },
  async oddOptions() {
    const gate = await gateOf('provider');
    const odd = [null, 5, 'text', { signal: {} }, { signal: { aborted: false } }, { cache: 5 }, { tenant: {} }];
    return each(odd, (options) => code(gate.chat({ messages: [{ role: 'user', content: 'hello' }] }, options)));
  },
  async notPlainData() {
    const gate = await gateOf('provider');
    const config = { name: 'ends-functions', retry: () => 1 };
    return [await code(gateOf('provider', config)), await code(gate.vault.put('groq', () => 1))];
  },
  async closedInAStream() {
    const gate = await gateOf();
    const left = await stream(gate);
    const chunks = left[Symbol.asyncIterator]();
    await chunks.next();
    await gate.close();
    await chunks.return();
    const calls = [
      ...[() => ask(gate), () => stream(gate), () => gate.status(), () => gate.cache.size(), () => gate.records()],
      ...[() => gate.vault.state(), () => gate.vault.unlock(PASSPHRASE), () => gate.vault.create(PASSPHRASE)],
    ];
    return [await soon(code(left.result).then(() => 'told')), await each(calls, (call) => code(call()))];
  },
  async closedInAQueue() {
    const gate = await gateOf('hang', { queue: {} });
    await gate.queue.enqueue({ messages: [{ role: 'user', content: 'hello' }], max_tokens: 8 });
    await pause(300);
    return [await soon(code(gate.close())), await code(gate.queue.stats()), await code(gate.close())];
  },
  /** Either it was made or it was not: what is stored opens with what was given. */
  closedInAVault: () =>
    each([0, 20, 60, 120], async (ms) => {
      const config = { name: `ends-${asked.get('isolation')}-vault-${ms}` };
      const gate = await gateOf('provider', config);
      const creating = code(gate.vault.create(PASSPHRASE));
      await pause(ms);
      await gate.close();
      const told = await soon(creating);
      const again = await gateOf('provider', config);
      const state = await again.vault.state();
      const opens = await code(state === 'locked' ? again.vault.unlock(PASSPHRASE) : again.vault.create(PASSPHRASE));
      await again.close();
      return `${['ok', 'closed'].includes(told) && (told !== 'ok' || state === 'locked')} ${opens}`;
    }),
  async closedAndOpened() {
    const config = { name: `ends-${asked.get('isolation')}-again` };
    const told = [];
    for (let turn = 0; turn < 3; turn += 1) {
      const gate = await gateOf('provider', config);
      const closing = gate.close();
      const next = await gateOf('provider', config);
      await closing;
      told.push(gate !== next, await code(ask(next)));
      await next.close();
    }
    return [...new Set(told)];
  },
});
