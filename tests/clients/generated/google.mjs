// Gemini's answers.

const FINISH = { stop: 'STOP', tool: 'STOP', length: 'MAX_TOKENS', filter: 'SAFETY' };

const GROUNDING = {
  webSearchQueries: ['a'],
  groundingChunks: [{ web: { uri: 'https://a.example', title: 'a.example' } }],
  groundingSupports: [{ segment: { startIndex: 0, endIndex: 1, text: 'a' }, groundingChunkIndices: [0] }],
};
const RAN = [
  { executableCode: { language: 'PYTHON', code: 'print(1)' } },
  { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '1\n' } },
];
const PICTURE = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } };
const TOKENS = { topCandidates: [], chosenCandidates: [{ token: 'a', tokenId: 1, logProbability: -0.25 }] };

/** Zeros are left out; thoughts are counted beside the answer. */
const counts = (draw, { input, cached, output, reasoning }) => ({
  promptTokenCount: input,
  ...(output - reasoning ? { candidatesTokenCount: output - reasoning } : {}),
  totalTokenCount: input + output,
  ...(cached ? { cachedContentTokenCount: cached } : {}),
  ...(reasoning ? { thoughtsTokenCount: reasoning } : {}),
  ...(draw.chance(0.3) ? { promptTokensDetails: [{ modality: 'TEXT', tokenCount: input }] } : {}),
});

function partsOf(draw, { text, reasoning, calls }, extra) {
  const thoughts = draw.pieces(reasoning).map((piece) => ({ text: piece, thought: true }));
  const texts = draw.pieces(text).map((piece) => ({ text: piece }));
  const uses = calls.map(({ id, name, args }) => ({
    functionCall: {
      ...(id ? { id } : {}),
      name,
      ...(Object.keys(args).length > 0 || draw.chance(0.5) ? { args } : {}),
    },
    ...(draw.chance(0.4) ? { thoughtSignature: 'QUJD' } : {}),
  }));
  const own = { ran: RAN, picture: [PICTURE] }[extra] ?? [];
  const signed = draw.chance(0.2) ? [{ text: '', thoughtSignature: 'R0hJ' }] : [];
  return [...thoughts, ...own, ...(draw.chance(0.2) ? draw.merged([texts, uses]) : [...texts, ...uses]), ...signed];
}

export function google(draw, model) {
  const named = draw.chance(0.5);
  for (const said of model.choices) {
    said.refusal = '';
    if (!named) for (const call of said.calls) call.id = undefined;
  }
  if (model.usage) model.usage.written = 0;
  const tail = { modelVersion: model.name, responseId: model.id };
  const beside = { annotations: { groundingMetadata: GROUNDING }, logprobs: { logprobsResult: TOKENS } }[model.extra];
  const parts = model.choices.map((said, index) => partsOf(draw, said, index === 0 ? model.extra : null));
  const candidate = (index, own, ends) => ({
    ...(own.length > 0 || draw.chance(0.3)
      ? { content: { ...(own.length > 0 ? { parts: own } : {}), role: 'model' } }
      : {}),
    ...(ends ? { finishReason: FINISH[model.choices[index].finish], ...(index === 0 ? beside : {}) } : {}),
    ...(index > 0 || draw.chance(0.5) ? { index } : {}),
    ...(draw.chance(0.2) ? { avgLogprobs: -0.1 } : {}),
  });
  const usage = model.usage ? { usageMetadata: counts(draw, model.usage) } : {};
  const whole = draw.json({ candidates: parts.map((own, index) => candidate(index, own, true)), ...usage, ...tail });

  const streams = parts.map((all, index) => {
    const left = [...all];
    const groups = [];
    while (left.length > 0) groups.push(left.splice(0, draw.int(1, 3)));
    if (groups.length === 0 || draw.chance(0.5)) groups.push(draw.pick([[], [{ text: '' }]]));
    return groups.map((group, at) => candidate(index, group, at === groups.length - 1));
  });
  const early = model.usage && {
    usageMetadata: { promptTokenCount: model.usage.input, totalTokenCount: model.usage.input },
  };
  const chunks = draw
    .merged(streams)
    .map((own) => ({ candidates: [own], ...(draw.chance(0.8) ? early : {}), ...tail }));
  Object.assign(chunks.at(-1), usage);
  const line = draw.pick(['\n', '\r\n']);
  const frames = chunks.map((chunk) => `data: ${draw.json(chunk)}${line}${line}`);
  return { whole, frames: () => frames };
}
