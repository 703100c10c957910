// Imports the package, and its browser build, and tells whatever that has set in motion.
const done = [];
const note = (name) => () => done.push(name);
for (const name of ['fetch', 'setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'addEventListener']) {
  globalThis[name] = note(name);
}
for (const name of ['compile', 'instantiate', 'Module', 'Instance', 'Memory']) WebAssembly[name] = note(name);
const before = Object.keys(globalThis).sort().join();
const forServers = await import('tidegate');
const forPages = await import(new URL('node_modules/tidegate/dist/web.js', import.meta.url));
if (Object.keys(globalThis).sort().join() !== before) done.push('globals');
const busy = process.getActiveResourcesInfo().filter((name) => /timer|fetch|socket|tcp|port/i.test(name));
console.log(JSON.stringify({ done, busy, servers: Object.keys(forServers), pages: Object.keys(forPages) }));
