// The Worker in workerd, one for each provider and variant: the SDK is given its address and the token, nothing else.

import { fileURLToPath } from 'node:url';

import { createTestHarness, experimental_readRawConfig as readConfig } from 'wrangler';

import { CLIENTS, run } from '../run.mjs';
import { startStandIn } from '../stand-in.mjs';
import { KEYS, PROVIDERS, settings } from './gates.mjs';
import { hasPython, PYTHON_CLIENTS, startPython } from './python.mjs';

const CONFIG = fileURLToPath(new URL('../../../worker/wrangler.jsonc', import.meta.url));
const MAIN = fileURLToPath(new URL('../../../worker/src/index.ts', import.meta.url));
export const TOKEN = 'test-token-of-the-worker';

process.env.CLOUDFLARE_CF_FETCH_ENABLED = 'false'; // else it asks the network where it is

/** More than the suites ask in a minute, which is more than a person does. */
const PLENTY = { tiers: { enterprise: { perMinute: 100_000 } }, routes: { other: { perMinute: 100_000 } } };

/** A Worker whose one target is a model of a provider, which the stand-in plays. */
export async function startWorker({ provider, model }, standIn, variant, more = {}) {
  const [, base] = PROVIDERS[provider];
  const { rawConfig } = readConfig({ config: CONFIG });
  const vars = {
    TIDEGATE_CONFIG: { targets: [{ provider, model }], rates: PLENTY, ...settings(variant) },
    TIDEGATE_TOKEN: TOKEN,
    [`${provider.toUpperCase()}_API_KEY`]: KEYS[provider],
    [`${provider.toUpperCase()}_BASE_URL`]: `${standIn}/${provider}${base}`,
    ...more,
  };
  const config = { ...rawConfig, name: `${provider}-${variant}`, main: MAIN, vars };
  const harness = createTestHarness({ workers: [{ config }] });
  const { url } = await harness.listen();
  return { harness, url: String(url).replace(/\/$/, '') };
}

/** Opens the transport for the clients of JavaScript and of Python alike. */
export async function inWorkerd() {
  const standIn = await startStandIn();
  const python = hasPython ? startPython() : undefined;
  const workers = new Map();
  const workerOf = (client, variant) => {
    // Only the cap needs another configuration: the rest heals by itself.
    const name = `${client.provider} ${variant === 'poor' ? 'poor' : 'normal'}`;
    if (!workers.has(name)) workers.set(name, startWorker(client, standIn.url, name.split(' ')[1]));
    return workers.get(name);
  };
  return {
    standIn,
    shared: true,
    // The workerd of this machine, even a bare one, does not fire a request's signal when its client hangs up.
    blind: true,
    async run(name, { setup, ...task }, variant) {
      const client = CLIENTS[name] ?? PYTHON_CLIENTS[name];
      const { url: origin } = await workerOf(client, variant);
      const whole = { ...task, setup: { origin, apiKey: TOKEN, ...setup } };
      return CLIENTS[name] ? run(whole) : python.run(whole);
    },
    async stop() {
      python?.stop();
      for (const started of workers.values()) await (await started).harness.close();
      await standIn.stop();
    },
  };
}
