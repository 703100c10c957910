import assert from 'node:assert/strict';
import { test } from 'node:test';

import { indexedDbStorage } from '../dist/storage/indexed-db.js';

/** Connections that a browser without storage hands out: nothing can be read, but each can be closed. */
function connections(t) {
  const all = [];
  const { indexedDB } = globalThis;
  t.after(() => (globalThis.indexedDB = indexedDB));
  globalThis.indexedDB = {
    open() {
      const database = {
        isOpen: true,
        objectStoreNames: { contains: () => true },
        close: () => (database.isOpen = false),
        transaction: () => assert.fail('no rows'),
      };
      all.push(database);
      const request = { result: database };
      setImmediate(() => request.onsuccess());
      return request;
    },
  };
  return all;
}

test('makes way for a newer version with every connection that it has', async (t) => {
  const all = connections(t);
  const storage = await indexedDbStorage('one', () => assert.fail('nothing to decide'));
  // The browser closes it: the site's data was cleared. Two uses at once open it again.
  all[0].onclose();
  await Promise.allSettled([storage.all('vault'), storage.all('cache')]);
  assert.equal(all.length, 2, 'they share one');
  for (const { isOpen, onversionchange } of all.slice(1)) if (isOpen) onversionchange();
  assert.deepEqual(
    all.slice(1).map(({ isOpen }) => isOpen),
    all.slice(1).map(() => false),
  );
});
