// The Worker of the demo: `wrangler dev` with the stand-ins as its providers and throw-away secrets.

import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { delimiter } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

import { root } from './demo-app.mjs';

const READY_WITHIN_MS = 90_000;
const ANSWER_WITHIN_MS = 2_000;
const STOP_WITHIN_MS = 5_000;
const SHOWN_OUTPUT = 4_000;
const MOST_PORTS = 5;

const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789';
const letters = (count) => Array.from(randomBytes(count), (byte) => ALPHABET[byte % ALPHABET.length]).join('');

/** Keys of the form that the real providers hand out, worth nothing anywhere; new for every run. */
export const throwAwayKeys = () => ({
  groq: `gsk_${letters(52)}`,
  openrouter: `sk-or-v1-${randomBytes(32).toString('hex')}`,
});

const until = async (url, child, output) => {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    // Wrangler may say so and stay.
    const portTaken = /address already in use/i.test(output());
    if (portTaken || child.exitCode !== null) {
      throw Object.assign(new Error(`the Worker ended with ${child.exitCode ?? 1}\n${output()}`), { portTaken });
    }
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) }).catch(() => null);
    if (answer?.ok) return;
    await sleep(200);
  }
  throw new Error(`the Worker was not ready within ${READY_WITHIN_MS / 1000} s\n${output()}`);
};

/**
 * Starts the Worker on `port` and waits until it answers. Its stop is put on `stops` before the wait, so that a Ctrl-C
 * during the start leaves nothing behind; `ended` is called if it dies by itself later. A port that was free when it was
 * looked for may be somebody's by the time wrangler wants it: then `otherPort` is asked for another.
 */
export async function startWorker({ port, otherPort, ...more }) {
  for (let left = MOST_PORTS; ; left -= 1) {
    try {
      return await startOn(port, more);
    } catch (cause) {
      if (!cause.portTaken || left <= 1) throw cause;
      await more.stops.pop()();
      port = await otherPort(port);
    }
  }
}

async function startOn(port, { standIns, keys, origin, stops, ended }) {
  const token = letters(40);
  const vars = {
    GROQ_BASE_URL: standIns.groqUrl,
    OPENROUTER_BASE_URL: standIns.openrouterUrl,
    GROQ_API_KEY: keys.groq,
    OPENROUTER_API_KEY: keys.openrouter,
    TIDEGATE_TOKEN: token,
    ALLOWED_ORIGINS: origin,
  };
  const bin = fileURLToPath(new URL('node_modules/.bin/', root));
  const child = spawn(
    'wrangler',
    [
      'dev',
      '--ip',
      '127.0.0.1',
      '--port',
      String(port),
      '--inspector-port',
      '0',
      '--show-interactive-dev-session=false',
    ].concat(Object.entries(vars).flatMap(([name, value]) => ['--var', `${name}:${value}`])),
    {
      cwd: fileURLToPath(new URL('worker/', root)),
      env: {
        ...process.env,
        // node_modules/.bin first: the Node that wrangler needs may be newer than the one that runs this.
        PATH: `${bin}${delimiter}${process.env.PATH}`,
        WRANGLER_SEND_METRICS: 'false',
      },
      stdio: ['ignore', 'pipe', 'pipe'],
      // A process group of its own: wrangler starts workerd and esbuild, and a Ctrl-C goes through our stop.
      detached: true,
    },
  );

  let output = '';
  const keep = (chunk) => (output = (output + chunk).slice(-SHOWN_OUTPUT));
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);

  let wanted = true;
  const gone = Promise.race([once(child, 'exit'), once(child, 'error')]).catch(() => undefined);
  const signal = (name) => {
    try {
      process.kill(-child.pid, name);
    } catch {
      // The group is gone already, which is what was wanted.
    }
  };
  stops.push(async () => {
    wanted = false;
    if (child.pid === undefined) return;
    signal('SIGTERM');
    await Promise.race([gone, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
    signal('SIGKILL');
  });

  if (child.pid === undefined) {
    const [cause] = await once(child, 'error');
    throw new Error(`wrangler did not start (${cause.code}); run \`npm ci\` first`);
  }
  const url = `http://127.0.0.1:${port}`;
  await until(`${url}/livez`, child, () => output);
  void gone.then(() => {
    if (!wanted) return;
    console.error(`The Worker ended by itself.\n${output}`);
    ended();
  });
  return { url, token };
}
