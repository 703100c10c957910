// A process of its own for one row of `scan-mb-s` or `screen-1kb`: it runs a round when told to, and says what it took.
import { bundles } from './bundles.mjs';
import { prompts } from './scan-prompts.mjs';

const [bench, row] = process.argv.slice(2);
// The detector's memory, to see whether it stays: the package shows it to nobody.
let memory;
const { Instance } = WebAssembly;
WebAssembly.Instance = function (module, imports) {
  const instance = new Instance(module, imports);
  memory ??= instance.exports.memory;
  return instance;
};

const { stacks } = await import('./scan-stacks.mjs');
const { scan, screen } = await stacks[row]();
const files = bench === 'scan' ? await bundles() : [];
const texts = prompts();

const rounds = {
  async scan() {
    let size = 0;
    for (const { bytes } of files) {
      await scan(bytes);
      size += bytes.length;
    }
    return size / 1e6;
  },
  async screen(count) {
    let found = 0;
    for (let at = 0; at < count; at += 1) found += await screen(texts[at % texts.length]);
    if (found > 0) throw new Error(`${row} takes a prompt for a key`);
    return count;
  },
  /** Streams `count` megabytes, and says how many pages of memory that took beyond the first. */
  async memory(count) {
    const { Scanner } = await import('tidegate');
    const scanner = await Scanner.create();
    const chunk = files.map(({ bytes }) => bytes).reduce((all, bytes) => (all.length > bytes.length ? all : bytes));
    const part = chunk.subarray(0, 65_536);
    for (let at = 0; at < 32; at += 1) scanner.push(part);
    const before = memory.buffer.byteLength;
    for (let at = 0; at < (count * 1e6) / part.length; at += 1) scanner.push(part);
    scanner.finish();
    return memory.buffer.byteLength - before;
  },
};

process.on('message', async ({ round, count }) => {
  const cpuBefore = process.cpuUsage();
  const started = performance.now();
  const result = await rounds[round](count);
  const wallMs = performance.now() - started;
  const { user, system } = process.cpuUsage(cpuBefore);
  process.send({ result, wallMs, cpuMs: (user + system) / 1000 });
});
process.send('ready');
