// What the page of dialects.test.mjs runs: at both levels the build with every dialect, in its two parts, through a vault that
// is locked and opened in between. `<output>` gets what came of it.

import { Tidegate } from 'tidegate';

import { CLIENTS, run } from '../run.mjs';
import { KEYS, PROVIDERS, settings } from './gates.mjs';

const PASSPHRASE = 'correct horse battery staple';

const query = new URLSearchParams(location.search);
const [standIn, providers, clients] = ['standIn', 'providers', 'clients'].map((name) => query.get(name));
const unhandled = [];
addEventListener('unhandledrejection', ({ reason }) => unhandled.push(String(reason?.stack ?? reason)));

const textOf = ({ value, error }) => value?.text ?? JSON.stringify(error);

async function atLevel(isolation) {
  const told = {};
  for (const provider of providers.split(',')) {
    const { model } = Object.values(CLIENTS).find((client) => client.provider === provider);
    const [, base] = PROVIDERS[provider];
    const gate = await Tidegate.open({
      ...settings(),
      name: `${isolation}-${provider}`,
      isolation,
      targets: [{ provider, model }],
      providers: { [provider]: { baseUrl: `${standIn}/${provider}${base}` } },
    });
    // Before the rest is there: a first answer needs none of it.
    await gate.vault.putForSession(provider, KEYS[provider]);
    const first = await gate.chat({ messages: [{ role: 'user', content: `first of ${provider}` }] });
    told[`${provider}: plain`] = first.choices[0].message.content;
    await gate.vault.create(PASSPHRASE);
    await gate.vault.put(provider, KEYS[provider]);
    await gate.vault.lock();
    const locked = await gate.chat({ messages: [{ role: 'user', content: 'locked' }] }).catch(({ code }) => code);
    await gate.vault.unlock(PASSPHRASE);
    const stream = await gate.chat({ stream: true, messages: [{ role: 'user', content: `stream of ${provider}` }] });
    let text = '';
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? '';
    told[`${provider}: stream`] = text;
    told[`${provider}: locked`] = locked;
    for (const client of clients.split(',')) {
      const own = CLIENTS[client].provider;
      const setup = { origin: PROVIDERS[own][0], apiKey: 'tidegate', ...(own === provider ? {} : { model: 'auto' }) };
      for (const op of ['plain', 'stream']) {
        const question = `${op} by ${client} of ${provider}`;
        told[question] = textOf(await run({ client, op, question, setup }, gate.fetch));
      }
    }
    await gate.close();
  }
  return told;
}

const told = {};
for (const isolation of ['page', 'worker']) {
  told[isolation] = await atLevel(isolation).catch((error) => `failed: ${error?.code} ${error?.stack}`);
}
document.querySelector('output').textContent = JSON.stringify({ ...told, unhandled });
