// The whole way of a first answer, as a new app would write it.
import { isTidegateError, Tidegate } from 'tidegate';

const query = new URLSearchParams(location.search);
const output = document.querySelector('output');
try {
  const gate = await Tidegate.open({
    name: query.get('name'),
    isolation: query.get('isolation') ?? undefined,
    providers: { groq: { baseUrl: query.get('groq') } },
    targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
  });
  await gate.vault.create(query.get('passphrase'));
  await gate.vault.put('groq', query.get('key'));
  const answer = await gate.chat({ messages: [{ role: 'user', content: 'Say something.' }] });
  const { ledger, budget, isolation } = await gate.status();
  output.textContent = JSON.stringify({
    text: answer.choices[0].message.content,
    target: answer.tidegate.target,
    ledger,
    isolation,
    spent: budget.spentNanoUsd,
  });
} catch (error) {
  output.textContent = `failed: ${isTidegateError(error) ? error.code : ''} ${error} ${error.cause ?? ''}`;
}
