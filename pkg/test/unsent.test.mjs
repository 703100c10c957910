// What cannot be sent to the realm of a gate is told by where it is.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { RemoteGate } from '../dist/isolation/remote.js';
import { lineOn } from './realms.mjs';

const later = Promise.resolve('Hi');
const fails = () => {
  throw new Error('not now');
};
const over = Proxy.revocable({}, {});
over.revoke();

const asking = (content, more) => ({
  messages: [
    { role: 'system', content: 'Be brief.' },
    { content, ...more },
  ],
});

for (const [what, call, path] of [
  ['a promise', ({ queue }) => queue.enqueue(asking(later)), 'messages.1.content'],
  ['the first of two', ({ queue }) => queue.enqueue(asking(fails, { own: later })), 'messages.1.content'],
  ['a function of the options', ({ queue }) => queue.enqueue(asking('Hi'), { priority: fails }), 'priority'],
  ['what can be cloned before it', ({ queue }) => queue.enqueue({ at: new Date(), tools: [fails] }), 'tools.0'],
  [
    'a getter',
    ({ queue }) =>
      queue.enqueue({
        list: [later],
        get own() {
          return fails();
        },
      }),
    'list.0',
  ],
  ['a promise as such', ({ vault }) => vault.putForSession('groq', later), 'arguments.1'],
  ['a proxy that is over', ({ queue }) => queue.enqueue([{ own: [over.proxy] }]), '0.own.0'],
]) {
  test(`${what}: ${path}`, async () => {
    const { line, sent } = lineOn();
    const realm = { level: 'frame', line: async () => line, admit: () => undefined };
    const gate = await RemoteGate.open(
      async () => realm,
      () => undefined,
    );
    await assert.rejects(call(gate), ({ code, status, fields }) => {
      assert.deepEqual(
        [code, status, fields],
        ['invalid_request', 400, [{ path, problem: 'must be plain data, and no promise' }]],
      );
      return true;
    });
    assert.deepEqual(sent, []);
    line.close();
  });
}
