// A page is not told why a fetch failed. The gateway finds out what it can: a provider that lets no page in, a page that is
// offline, nobody there; and charges only what may have been sent.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { failure, launch, open, openGate, provider, site } from './support.mjs';

let browser;
before(async () => (browser = await launch()));
after(() => browser?.close());

const ALLOW = { 'access-control-allow-origin': '*', 'access-control-allow-headers': 'authorization, content-type' };

/** A server that does with each request what `answer` does; `url` of nobody once it is stopped. */
async function listening(t, answer) {
  const server = createServer(answer);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const stop = () => {
    server.closeAllConnections();
    server.close();
  };
  t.after(stop);
  return { url: `http://localhost:${server.address().port}`, stop };
}

/** A server that answers everything and says nothing of other origins. */
async function closed(t, breaksOff = false) {
  const methods = [];
  const server = await listening(t, (request, response) => {
    methods.push(request.method);
    // One that lets pages in, but ends the connection in the place of an answer.
    if (breaksOff && request.method === 'POST') return request.socket.destroy();
    response.writeHead(200, breaksOff ? ALLOW : {}).end('{}');
  });
  return { ...server, methods };
}

/** A server that lets pages in and never answers; `asked` once something was sent. */
async function held(t) {
  const { promise: asked, resolve } = Promise.withResolvers();
  const server = await listening(t, (request, response) => {
    if (request.method === 'POST') return resolve();
    response.writeHead(204, ALLOW).end();
  });
  return { ...server, asked };
}

const ask = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'Hi' }], max_tokens: 8 });
const budget = (page) => page.evaluate(async () => (await globalThis.gate.status()).budget);

for (const isolation of ['page', 'worker']) {
  const start = async (t, url) => {
    const page = await open(t, browser, await site(t));
    await openGate(page, url, { isolation, retry: { maxRetries: 2, baseMs: 1, capMs: 2 } });
    return page;
  };

  test(`level ${isolation}: a provider that lets no page in is told as such, and asked once`, async (t) => {
    const { url, methods } = await closed(t);
    const page = await start(t, url);
    const error = await failure(page, ask);
    assert.deepEqual([error.code, error.network, error.attempts?.length], ['upstream_failed', 'cors', 1]);
    assert.ok(!methods.includes('POST'), 'nothing got past the preflight');
    assert.ok((await budget(page)).spentNanoUsd > 0, 'it may have been read but not shown');
  });

  test(`level ${isolation}: a provider that breaks off is the network, and tried again`, async (t) => {
    const { url, methods } = await closed(t, true);
    const page = await start(t, url);
    const error = await failure(page, ask);
    assert.deepEqual([error.code, error.network, error.attempts?.length], ['upstream_failed', 'network', 3]);
    assert.equal(methods.filter((method) => method === 'POST').length >= 3, true);
  });

  test(`level ${isolation}: nobody there is the network, tried again, and may have been billed`, async (t) => {
    const { url, stop } = await closed(t);
    stop();
    const page = await start(t, url);
    const error = await failure(page, ask);
    assert.deepEqual([error.code, error.network], ['upstream_failed', 'network']);
    assert.ok(error.attempts.length > 1);
    assert.ok((await budget(page)).spentNanoUsd > 0);
  });

  test(`level ${isolation}: a page that is offline is told so, and billed nothing`, async (t) => {
    const { url } = await provider(t);
    const page = await start(t, url);
    // What comes later is at hand from now on.
    await page.evaluate(ask);
    const { spentNanoUsd } = await budget(page);
    await page.context().setOffline(true);
    const again = () => globalThis.gate.chat({ messages: [{ role: 'user', content: 'Again' }], max_tokens: 8 });
    const error = await failure(page, again);
    assert.deepEqual([error.code, error.network], ['upstream_failed', 'offline']);
    assert.equal((await budget(page)).spentNanoUsd, spentNanoUsd);
  });

  test(`level ${isolation}: a page that goes offline while it waits is charged what may have been sent`, async (t) => {
    const { url, asked, stop } = await held(t);
    const page = await start(t, url);
    const answer = failure(page, ask);
    await asked;
    await page.context().setOffline(true);
    stop();
    const error = await answer;
    assert.equal(error.code, 'upstream_failed');
    assert.ok((await budget(page)).spentNanoUsd > 0);
  });
}
