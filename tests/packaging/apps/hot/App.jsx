import { useEffect, useState } from 'react';
import { Tidegate } from 'tidegate';

import { config } from './config.js';

const KEY = `gsk_${'Zq7W'.repeat(13)}`;
const TITLE = 'edit 0';

// As the README has it: opened in an effect, never closed in its clean-up.
export function App() {
  const [told, setTold] = useState('');
  useEffect(() => {
    let wanted = true;
    let off = () => undefined;
    const run = async () => {
      const gate = await Tidegate.open(config);
      globalThis.gates = new Set([...(globalThis.gates ?? []), gate]);
      if (!wanted) return;
      off = gate.on('request-end', () => undefined);
      await gate.vault.putForSession('groq', new TextEncoder().encode(KEY));
      const answer = await gate.chat({ messages: [{ role: 'user', content: TITLE }], max_tokens: 8 });
      if (wanted) setTold(`${TITLE}: answered by ${answer.tidegate.target}`);
    };
    run().catch((error) => {
      if (wanted) setTold(`${TITLE}: ${error.code} ${error.message}`);
    });
    return () => {
      wanted = false;
      off();
    };
  }, [config, TITLE]);
  return <output>{told}</output>;
}
