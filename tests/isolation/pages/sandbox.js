// A frame without an origin: no worker, no storage, and not even a question after service workers.

import { ask, openGate, report } from '/report.js';

const told = (work) =>
  work.then(
    () => 'ok',
    ({ code, message }) => `${code}: ${message}`,
  );

await report({
  byDefault: () => told(openGate({ name: 'default', isolation: undefined })),
  storage: () => told(openGate({ name: 'storage', isolation: 'page' })),
  async memory() {
    const gate = await openGate({ name: 'memory', isolation: 'page', ledger: 'memory', serviceWorker: 'refuse' });
    await ask(gate);
    await gate.vault.create('correct horse battery staple');
    const { ledger, serviceWorker, vault, budget } = await gate.status();
    await gate.close();
    return [ledger, serviceWorker, vault, budget.spentNanoUsd > 0];
  },
});
parent.postMessage(document.querySelector('output').textContent, '*');
