// Places that are not as a gate would like them.

import { openGate, report } from '/report.js';

await report({
  opens: () =>
    openGate().then(
      () => 'ok',
      ({ code, message }) => `${code} ${message}`,
    ),
});
