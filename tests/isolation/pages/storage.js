// A database that is not as a gate left it: gone, somebody else's, newer, or with rows that are none.

import { ask, asked, code, openGate, pause, report } from '/report.js';

const PASSPHRASE = 'correct horse battery staple';
const TABLES = ['ledger', 'vault', 'cache'];
let number = 0;
// A browser may be asked twice in one profile.
const fresh = () => `storage-${asked.get('isolation')}-${(number += 1)}`;

const settled = (request, blocked = () => undefined) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
    request.onblocked = blocked;
  });
const open = (name, version = 1, tables = TABLES) => {
  const request = indexedDB.open(`tidegate:${name}`, version);
  request.onupgradeneeded = () => tables.forEach((table) => request.result.createObjectStore(table));
  return settled(request);
};
/** Writes and reads past the gate. */
async function around(name, work) {
  const database = await open(name);
  try {
    const store = (table) => database.transaction(table, 'readwrite').objectStore(table);
    return await work({
      put: (table, key, row) => settled(store(table).put(row, key)),
      read: (table, key) => settled(store(table).get(key)),
    });
  } finally {
    database.close();
  }
}
const GARBAGE = [
  ...[null, 'text', 5, {}, { length: 3e9 }, [1, 2], new Date()],
  ...[new ArrayBuffer(8), new Uint16Array(9), new Uint8Array(), new Uint8Array([1, 2, 3])],
];
/** What each piece of garbage came to; one word where all came to the same. */
async function each(work) {
  const told = new Set();
  for (const row of GARBAGE) told.add(await work(row));
  return [...told].join();
}

/** A gate whose queue is on disk. */
async function queued(name) {
  const gate = await openGate({ name, queue: {} });
  await gate.vault.create(PASSPHRASE);
  return gate;
}
const enqueue = (gate) => gate.queue.enqueue({ messages: [{ role: 'user', content: 'later' }], max_tokens: 8 });

await report({
  async deletedWhileOpen() {
    const name = fresh();
    const gate = await openGate({ name });
    await ask(gate);
    await settled(indexedDB.deleteDatabase(`tidegate:${name}`), () => Promise.reject(new Error('blocked')));
    return code(ask(gate));
  },
  async newerFromTheStart() {
    const name = fresh();
    (await open(name, 2)).close();
    return code(openGate({ name }));
  },
  async newerMeanwhile() {
    const name = fresh();
    const gate = await openGate({ name });
    const request = indexedDB.open(`tidegate:${name}`, 2);
    let blocked = false;
    (await settled(request, () => (blocked = true))).close();
    return [blocked, await code(ask(gate)), await code(gate.vault.list()), await code(gate.close())];
  },
  async ofSomebodyElse() {
    const name = fresh();
    (await open(name, 1, [])).close();
    return code(openGate({ name }));
  },
  /** Refuses every admission, and is left as it is. */
  garbageLedger: () =>
    each(async (row) => {
      const name = fresh();
      await around(name, ({ put }) => put('ledger', 'ledger', row));
      const gate = await openGate({ name });
      const told = await code(ask(gate));
      await gate.close();
      const kept = await around(name, ({ read }) => read('ledger', 'ledger'));
      return `${told} ${Object.prototype.toString.call(kept) === Object.prototype.toString.call(row)}`;
    }),
  /** Costs kept answers and nothing else. */
  async garbageAnswers() {
    const name = fresh();
    const gate = await openGate({ name, cache: { persist: true } });
    await gate.vault.create(PASSPHRASE);
    await gate.vault.lock();
    await around(name, async ({ put }) => {
      for (const [index, row] of GARBAGE.entries()) await put('cache', index % 2 ? [index] : String(index), row);
    });
    const told = await code(gate.vault.unlock(PASSPHRASE));
    await gate.vault.putForSession('groq', `gsk_${'Zq7W'.repeat(13)}`);
    return `${told},${await code(ask(gate))}`;
  },
  /** Is there, and damaged: not absent, which would ask the person to make another. */
  garbageHeader: () =>
    each(async (row) => {
      const name = fresh();
      await around(name, ({ put }) => put('vault', 'vault/2', row));
      const gate = await openGate({ name });
      const told = [
        await gate.vault.state(),
        await code(gate.vault.unlock(PASSPHRASE)),
        await code(gate.vault.slots()),
      ];
      await gate.close();
      return told.join();
    }),
  async queueOfSomebodyElse() {
    const name = fresh();
    (await open(`${name}:queue`, 1, [])).close();
    return code(enqueue(await queued(name)));
  },
  /** A walk through a lane, two rows of one rank after the other: each once, and none of another lane. */
  async walkThroughAQueue() {
    const { indexedDbRows } = await import('/pkg/dist/queue/idb.js');
    const rows = indexedDbRows(fresh());
    const bytes = new Uint8Array();
    for (const [arrival, lane] of [0, 1, 1, 1, 1, 1, 2].entries()) {
      const insert = { arrival, lane, rank: Math.floor(arrival / 2), due: 0, priority: 0, bytes };
      await rows.step({}, () => ({ insert }));
    }
    const walked = [];
    for (let after; walked.length < 9;) {
      const found = await rows.step({ lane: 1, after, count: 2 }, (found) => ({ value: found.rows }));
      if (found.length === 0) break;
      walked.push(found.map(({ arrival }) => arrival).join('+'));
      after = found.at(-1);
    }
    rows.close();
    return walked.join(' ');
  },
  /** What a tab of another release, or somebody's script, says to the vault's tabs: only three words are heard. */
  async strangersOnTheChannel() {
    const name = fresh();
    const gate = await openGate({ name });
    await gate.vault.create(PASSPHRASE);
    await gate.vault.put('groq', `gsk_${'Zq7W'.repeat(13)}`);
    let locks = 0;
    gate.on('vault-lock', () => (locks += 1));
    const channel = new BroadcastChannel(`tidegate:vault:${name}`);
    const strange = ['Lock', 'lock ', ['lock'], { kind: 'lock' }, { version: 9, message: 'forget' }, 'x'.repeat(4e6)];
    for (const message of [undefined, ...GARBAGE, ...strange]) channel.postMessage(message);
    // Nothing has changed: whoever is told so a thousand times is in use as before.
    for (let times = 0; times < 1_000; times += 1) channel.postMessage('changed');
    const told = [await code(ask(gate)), await gate.vault.state(), locks];
    channel.postMessage('lock');
    for (let looks = 0; looks < 100 && locks === 0; looks += 1) await pause(100);
    channel.close();
    return [...told, await gate.vault.state(), locks].join();
  },
  /** One row that cannot be read keeps no other from being run. */
  async garbageInAQueue() {
    const name = fresh();
    const gate = await queued(name);
    await gate.queue.cancel((await enqueue(gate)).requestId);
    const database = await settled(indexedDB.open(`tidegate:${name}:queue`));
    for (const [index, bytes] of GARBAGE.entries()) {
      const row = { arrival: index + 1, lane: 0, rank: index, due: index, priority: 0, bytes, asked: bytes };
      await settled(database.transaction('items', 'readwrite').objectStore('items').put(row));
    }
    database.close();
    const { requestId } = await enqueue(gate);
    for (let looks = 0; looks < 100; looks += 1) {
      const { status } = await gate.queue.status(requestId);
      if (status === 'completed') return status;
      await pause(100);
    }
    return gate.queue.stats();
  },
  async heldQueue() {
    const name = fresh();
    // Before the gate is there, which looks for what others have left as soon as its vault is open.
    globalThis.heldQueue = await open(`${name}:queue`, 1, []);
    indexedDB.deleteDatabase(`tidegate:${name}:queue`);
    const gate = await queued(name);
    const told = await enqueue(gate).catch(({ code, message }) => [code, /another tab/iu.test(message)]);
    globalThis.heldQueue.close();
    return [told, await code(enqueue(gate))];
  },
  /** The same to a gate that is open and has made way: whatever asks it is told what helps. */
  async heldMeanwhile() {
    const name = fresh();
    const gate = await openGate({ name });
    await settled(indexedDB.deleteDatabase(`tidegate:${name}`));
    globalThis.heldMeanwhile = await open(name);
    indexedDB.deleteDatabase(`tidegate:${name}`);
    const body = JSON.stringify({ model: 'openai/gpt-oss-20b', messages: [{ role: 'user', content: 'fetched' }] });
    const told = await Promise.all([
      ask(gate).catch(({ code, message }) => `${code}: ${message}`),
      ask(gate, 'streamed', { stream: true }).catch(({ code, message }) => `${code}: ${message}`),
      gate
        .fetch(`${asked.get('provider')}/chat/completions`, { method: 'POST', body })
        .then((response) => response.text()),
    ]);
    globalThis.heldMeanwhile.close();
    return [...told.map((one) => /internal.*another tab|another tab.*internal/isu.test(one)), await code(ask(gate))];
  },
  /** An older tab that makes no way, and a deletion that waits for it: all who come later would wait, too. */
  async held() {
    const name = fresh();
    globalThis.held = await open(name);
    indexedDB.deleteDatabase(`tidegate:${name}`);
    const told = await openGate({ name }).catch(({ code, message }) => [code, /another tab/iu.test(message)]);
    globalThis.held.close();
    await (await openGate({ name })).close();
    return told;
  },
});
