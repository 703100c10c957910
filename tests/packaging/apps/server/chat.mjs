// node chat.mjs LEDGER-FILE REQUESTS [PROCESSES]: chats at a cap of one cent through a provider that takes its time; prints
// figures. With PROCESSES it begins only when so many are ready, so that none has spent the cap before another starts.
import { readdir, writeFile } from 'node:fs/promises';

import { isTidegateError, Tidegate } from 'tidegate';

const [file, requests, processes] = process.argv.slice(2);
const body = JSON.stringify({
  id: 'one',
  object: 'chat.completion',
  created: 1,
  model: 'openai/gpt-oss-20b',
  choices: [{ index: 0, message: { role: 'assistant', content: 'Hello.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 2000, completion_tokens: 2000, total_tokens: 4000 },
});
const gate = await Tidegate.open(
  {
    budget: { limitUsd: '0.01' },
    cache: { ttlMs: 0 },
    targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
    ...(file && { ledger: { file } }),
  },
  {
    fetch: async () => {
      await new Promise((resolve) => setTimeout(resolve, 5));
      return new Response(body, { headers: { 'content-type': 'application/json' } });
    },
  },
);
await gate.vault.create('correct horse battery staple');
await gate.vault.put('groq', `gsk_${'A1b2'.repeat(13)}`);
if (processes) {
  await writeFile(`${file}.ready.${process.pid}`, '');
  const ready = async () => (await readdir('.')).filter((name) => name.startsWith(`${file}.ready.`)).length;
  while ((await ready()) < Number(processes)) await new Promise((resolve) => setTimeout(resolve, 2));
}
const codes = {};
let most = 0;
for (let number = 0; number < Number(requests); number += 1) {
  const message = { role: 'user', content: `Number ${number}` };
  await gate.chat({ messages: [message], max_tokens: 4000 }).then(
    () => (codes.ok = (codes.ok ?? 0) + 1),
    (error) => {
      const code = isTidegateError(error) ? error.code : String(error);
      codes[code] = (codes[code] ?? 0) + 1;
    },
  );
  const { spentNanoUsd, reservedNanoUsd } = await gate.budget.status();
  most = Math.max(most, spentNanoUsd + reservedNanoUsd);
}
const { ledger, budget } = await gate.status();
console.log(JSON.stringify({ codes, most, ledger, budget }));
await gate.close();
