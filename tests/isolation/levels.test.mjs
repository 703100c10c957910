// The same suite at the levels `page` and `worker`: an app must not be able to tell them apart, but for `status()`.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';

import { WINDOW } from '../../pkg/dist/isolation/flow.js';
import { failure, KEY, launch, open, openGate, PASSPHRASE, provider, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

for (const isolation of ['page', 'worker']) {
  describe(`level ${isolation}`, () => {
    const start = async (t, config = {}, key = KEY) => {
      const [origin, ours] = await Promise.all([site(t), provider(t)]);
      const page = await open(t, browser, origin);
      const status = await openGate(page, ours.url, { isolation, ...config }, key);
      return { page, ours, status };
    };

    test('answers whole and streamed, with events, records, cache and budget', async (t) => {
      const { page, ours, status } = await start(t);
      assert.equal(status.isolation, isolation);
      assert.equal(status.serviceWorker, null);
      const told = await page.evaluate(async () => {
        const { gate } = globalThis;
        const names = [];
        const offs = ['attempt-start', 'attempt-end', 'request-end'].map((name) =>
          gate.on(name, () => names.push(name)),
        );
        const ask = (content, more) => gate.chat({ messages: [{ role: 'user', content }], max_tokens: 8, ...more });
        const whole = await ask('whole');
        const again = await ask('whole');
        offs.forEach((off) => off());
        const stream = await ask('streamed', { stream: true });
        let text = '';
        for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
        const { costNanoUsd, target } = await stream.result;
        const records = await gate.records();
        const replayed = await gate.replay(records[0]);
        const size = await gate.cache.size();
        await gate.cache.clear();
        return {
          whole: whole.choices[0].message.content,
          cache: [whole.tidegate.cache, again.tidegate.cache],
          names,
          text,
          costNanoUsd,
          target,
          records: records.length,
          same: replayed.same,
          sizes: [size, await gate.cache.size()],
          spent: (await gate.budget.status()).spentNanoUsd,
        };
      });
      const { costNanoUsd, spent, ...rest } = told;
      assert.deepEqual(rest, {
        whole: 'Hello.',
        cache: ['miss', 'hit'],
        names: ['attempt-start', 'attempt-end', 'request-end', 'request-end'],
        text: 'Hello.',
        target: 'groq/openai/gpt-oss-20b',
        records: 3,
        same: true,
        sizes: [2, 0],
      });
      assert.ok(spent > 0 && costNanoUsd > 0);
      assert.ok(ours.seen.every(({ authorization }) => authorization === `Bearer ${KEY}`));
    });

    test('misuse is told, and nothing waits for what cannot come', async (t) => {
      const { page, ours } = await start(t);
      const told = await page.evaluate(async (base) => {
        const { gate } = globalThis;
        const { init } = await globalThis.tidegate;
        const body = JSON.stringify({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 8 });
        const post = async (fetch, more) => {
          const response = await fetch(`${base}/chat/completions`, { method: 'POST', body, ...more });
          return [response.status, (await response.json()).error?.code];
        };
        const refused = (work) => work.catch(({ name, code }) => `${name} ${code}`);
        const many = Object.fromEntries(Array.from({ length: 300 }, (_, number) => [`x-number-${number}`, 'one']));
        return {
          options: await post(gate.fetch.with(7)),
          tenant: await post(gate.fetch.with({ tenant: 7 })),
          headers: await post(gate.fetch, { headers: many }),
          method: await refused(post(gate.fetch, { method: 'P'.repeat(100) })),
          signal: await refused(post(gate.fetch, { signal: {} })),
          promise: await refused(gate.vault.putForSession('groq', Promise.resolve('a key'))),
          init: await init(null),
        };
      }, ours.url);
      const refused = [400, 'invalid_request'];
      const { method, ...rest } = told;
      assert.deepEqual(rest, {
        options: refused,
        tenant: refused,
        headers: isolation === 'page' ? [200, undefined] : refused,
        signal: 'TypeError undefined',
        promise: 'TidegateError invalid_request',
        init: undefined,
      });
      assert.ok(method);
    });

    test('gate.fetch answers in the caller’s dialect, and lets other addresses pass', async (t) => {
      const { page, ours } = await start(t);
      const told = await page.evaluate(async () => {
        const { fetch } = globalThis.gate;
        const url = 'https://api.openai.com/v1/chat/completions';
        const post = (body, more = {}) => fetch(url, { method: 'POST', body: JSON.stringify(body), ...more });
        const messages = [{ role: 'user', content: 'by fetch' }];
        const whole = await post({ model: 'auto', messages });
        const stream = await post(
          { model: 'auto', messages, stream: true },
          { headers: { 'x-tidegate-cache': 'skip' } },
        );
        const bad = await post({ model: 'auto', messages: 3 });
        const asRequest = await fetch(
          new Request(url, { method: 'POST', body: JSON.stringify({ model: 'auto', messages }) }),
        );
        const unread = await fetch(url, { method: 'POST', body: new Uint8Array([0xff, 0xfe]) });
        const other = await fetch('/page.js');
        const code = async (response) =>
          fetch.result(response).then(
            () => 'none',
            ({ code }) => code,
          );
        const text = await stream.text();
        return {
          whole: (await whole.clone().json()).choices[0].message.content,
          cost: (await fetch.result(whole)).costNanoUsd === Number(whole.headers.get('x-tidegate-cost-nano-usd')),
          stream: [stream.headers.get('content-type'), text.includes('lo.'), text.trim().endsWith('[DONE]')],
          streamed: (await fetch.result(stream)).target,
          bad: [bad.status, (await bad.json()).error.code, await code(bad)],
          asRequest: asRequest.headers.get('x-tidegate-cache'),
          unread: [unread.status, (await unread.json()).error.code],
          other: (await other.text()).includes('tidegate'),
        };
      });
      assert.deepEqual(told, {
        whole: 'Hello.',
        cost: true,
        stream: ['text/event-stream', true, true],
        streamed: 'groq/openai/gpt-oss-20b',
        bad: [400, 'invalid_request', 'invalid_request'],
        asRequest: 'hit',
        unread: [400, 'invalid_request'],
        other: true,
      });
      assert.equal(ours.seen.length, 2);
    });

    test('errors are the same objects', async (t) => {
      const { page, ours } = await start(t, { budget: { limitUsd: '0.01' } });
      ours.mode = 'fail';
      const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'to fail' }], max_tokens: 8 });
      const { code, attempts, name, status, shouldRetry, message } = await failure(page, ask);
      assert.deepEqual(
        { code, name, status, shouldRetry, attempts, message },
        {
          code: 'upstream_failed',
          name: 'TidegateError',
          status: 502,
          shouldRetry: false,
          attempts: [{ attempt: 1, target: 'groq/openai/gpt-oss-20b', code: 'upstream_failed', status: 500 }],
          message: 'The provider or the network failed.',
        },
      );
      const dear = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'dear' }], max_tokens: 60_000 });
      const refused = await failure(page, dear);
      assert.equal(refused.code, 'budget_exceeded');
      assert.equal(refused.budget.limitNanoUsd, 10_000_000);
      const bad = await failure(page, () => globalThis.gate.chat({ messages: [] }));
      assert.match(bad.message, /messages/u);
      assert.deepEqual(Object.keys(bad.fields[0]).sort(), ['path', 'problem']);
      const deaf = await failure(page, () => globalThis.gate.on('no-such-event', () => undefined));
      assert.equal(deaf.code, 'invalid_request');
      assert.match(deaf.message, /name is not a known event; known are request-end, /u);
    });

    test('a vault is made, locked, opened; bytes are wiped; a wrong passphrase is told', async (t) => {
      const { page, ours } = await start(t, {}, null);
      const told = await page.evaluate(
        async ([passphrase, key]) => {
          const { vault } = globalThis.gate;
          let asked = 0;
          navigator.storage.persist = async () => ++asked > 0;
          const bytes = (text) => new TextEncoder().encode(text);
          const states = [await vault.state()];
          const given = [bytes(passphrase), bytes(key)];
          await vault.create(given[0]);
          await vault.put('groq', given[1]);
          states.push(await vault.state());
          await vault.lock();
          states.push(await vault.state());
          const wrong = await vault.unlock('wrong').then(
            () => 'none',
            ({ code }) => code,
          );
          await vault.unlock(bytes(passphrase));
          const keys = await vault.list();
          const answer = await globalThis.gate.chat({ messages: [{ role: 'user', content: 'with the vault' }] });
          const wiped = given.every((one) => one.every((byte) => byte === 0));
          return { states, wrong, wiped, keys: keys.map(({ provider }) => provider), answer: answer.object, asked };
        },
        [PASSPHRASE, KEY],
      );
      assert.deepEqual(told, {
        states: ['absent', 'unlocked', 'locked'],
        wrong: 'vault_locked',
        wiped: true,
        keys: ['groq'],
        answer: 'chat.completion',
        asked: 1, // to keep what is stored
      });
      assert.equal(ours.seen[0].authorization, `Bearer ${KEY}`);
    });

    test('an abort reaches the provider, whenever it comes', async (t) => {
      const { page, ours } = await start(t);
      ours.mode = 'hang';
      const told = await page.evaluate(async () => {
        const { gate } = globalThis;
        const request = { messages: [{ role: 'user', content: 'never' }], max_tokens: 8 };
        const never = AbortSignal.abort();
        const early = await gate.chat(request, { signal: never }).catch(({ code }) => code);
        // Long enough for the request to be out on a busy machine.
        const later = AbortSignal.timeout(1_500);
        const chat = await gate.chat(request, { signal: later }).catch(({ code }) => code);
        const body = JSON.stringify({ model: 'auto', ...request });
        const aborting = new AbortController();
        setTimeout(() => aborting.abort(new RangeError('mine')), 1_500);
        const init = { method: 'POST', body, signal: aborting.signal };
        const fetched = await gate.fetch('https://api.openai.com/v1/chat/completions', init).catch(({ name }) => name);
        return { early, chat, fetched, held: (await gate.status()).inFlight };
      });
      assert.deepEqual(told, { early: 'aborted', chat: 'aborted', fetched: 'RangeError', held: 0 });
      assert.equal(ours.seen.length, 2);
      ours.mode = 'endless';
      const streamed = await page.evaluate(async () => {
        const { gate } = globalThis;
        const request = { messages: [{ role: 'user', content: 'endless' }], max_tokens: 8, stream: true };
        const aborting = new AbortController();
        const stream = await gate.chat(request, { signal: aborting.signal });
        let chunks = 0;
        const code = await (async () => {
          for await (const _chunk of stream) if ((chunks += 1) === 3) aborting.abort();
        })().then(
          () => 'none',
          ({ code }) => code,
        );
        const { error } = await stream.result;
        const left = await gate.chat({ ...request, max_tokens: 9 });
        for await (const _chunk of left) break;
        return {
          code,
          error: error?.code,
          chunks,
          left: (await left.result).error?.code,
          held: (await gate.status()).inFlight,
        };
      });
      assert.deepEqual(streamed, { code: 'aborted', error: 'aborted', chunks: 3, left: 'aborted', held: 0 });
      await page.waitForTimeout(200);
      assert.equal(ours.left, 4, 'every connection was hung up');
    });

    test('open is idempotent, and close ends it', async (t) => {
      const { page, ours } = await start(t);
      const told = await page.evaluate(async () => {
        const { Tidegate } = await globalThis.tidegate;
        const config = { name: 'twice', ledger: 'memory' };
        const [one, two] = await Promise.all([Tidegate.open(config), Tidegate.open({ ...config })]);
        const changed = await Tidegate.open({ ...config, cache: { ttlMs: 1 } });
        const bad = await Tidegate.open({ name: 'bad', unheard: 1 }).catch(({ code, fields }) => [
          code,
          fields[0].path,
        ]);
        const place = await Tidegate.open({ isolation: 'nowhere' }).catch(({ code, fields }) => [code, fields[0].path]);
        await changed.close();
        const fresh = await Tidegate.open({ ...config, cache: { ttlMs: 1 } });
        const codeOf = (work) =>
          work.then(
            () => 'done',
            ({ code }) => code,
          );
        const closed = await Promise.all([
          codeOf(one.chat({ messages: [{ role: 'user', content: 'Hi' }] })),
          codeOf(one.vault.state()),
          codeOf(changed.status()),
          codeOf(changed.chat({ messages: [{ role: 'user', content: 'Hi' }], stream: true })),
        ]);
        return { same: one === two, other: changed !== one, fresh: fresh !== changed, bad, place, closed };
      });
      assert.deepEqual(told, {
        same: true,
        other: true,
        fresh: true,
        bad: ['config_invalid', 'unheard'],
        place: ['config_invalid', 'isolation'],
        closed: ['closed', 'closed', 'closed', 'closed'],
      });
      assert.equal(ours.seen.length, 0);
    });
  });
}

describe('between worker and page', () => {
  test('a reader who stops is sent no more than a window', async (t) => {
    const [origin, ours] = await Promise.all([site(t), provider(t)]);
    const page = await open(t, browser, origin);
    await page.evaluate(() => {
      globalThis.arrived = { bytes: 0, most: 0 };
      globalThis.Worker = class extends Worker {
        constructor(...how) {
          super(...how);
          this.addEventListener('message', ({ data: [kind, , bytes] }) => {
            if (kind !== 'data') return;
            globalThis.arrived.bytes += bytes.byteLength;
            globalThis.arrived.most = Math.max(globalThis.arrived.most, bytes.byteLength);
          });
        }
      };
    });
    await openGate(page, ours.url);
    ours.mode = 'flood';
    const read = await page.evaluate(async () => {
      const request = { messages: [{ role: 'user', content: 'flood' }], stream: true };
      const stream = await globalThis.gate.chat(request);
      globalThis.reader = stream.readable.getReader();
      const { value } = await globalThis.reader.read();
      return value.byteLength;
    });
    await page.waitForTimeout(1_500);
    const { bytes, most } = await page.evaluate(() => ({ ...globalThis.arrived }));
    assert.ok(bytes > 0 && bytes - read <= WINDOW + most, `${bytes} bytes wait for a reader of ${read}`);
    const rest = await page.evaluate(async () => {
      let bytes = 0;
      for (let read; !(read = await globalThis.reader.read()).done;) bytes += read.value.byteLength;
      return bytes;
    });
    assert.ok(read + rest >= ours.floodBytes, `${read + rest} bytes came in the end`);
  });
});
