// A process that counts in ledger files, as it is told: one decision after the other, then how many failed.

import { fileStorage } from '../dist/storage/file.js';

process.on('message', async ({ path, decisions }) => {
  const { ledger } = fileStorage(path, (bytes) => [Buffer.from(String(Number(bytes ?? 0) + 1)), new Uint8Array()]);
  let failed = 0;
  for (let decision = 0; decision < decisions; decision++) await ledger(new Uint8Array()).catch(() => (failed += 1));
  process.send(failed);
});
process.send('ready');
