import { Tidegate } from 'tidegate';

export default {
  async fetch(request) {
    const query = new URL(request.url).searchParams;
    const gate = await Tidegate.open({
      providers: { groq: { baseUrl: query.get('groq') } },
      targets: [{ provider: 'groq', model: 'openai/gpt-oss-20b' }],
    });
    await gate.vault.putForSession('groq', query.get('key'));
    const answer = await gate.chat({ messages: [{ role: 'user', content: 'Say something.' }] });
    const { ledger, budget } = await gate.status();
    return Response.json({ target: answer.tidegate.target, ledger, spent: budget.spentNanoUsd });
  },
};
