// What happens from opening a gate to its first plain answers: whatever of a build runs here loads first (see split-wasm.mjs). It is driven as pkg/src/tidegate.ts drives it; pkg/test/rest.test.mjs tells when it is no more.
//
// Of what fails only the way to where the rest is awaited. Left out on purpose is what awaits the rest by itself (streams,
// `gate.fetch`, the vault) and what is rare: refusals, keys in messages, mistakes in a configuration.

const GROQ = { provider: 'groq', model: 'openai/gpt-oss-20b' };
const OPENROUTER = { provider: 'openrouter', model: 'qwen/qwen3-coder:free' };
const PAID = { provider: 'openrouter', model: 'openai/gpt-oss-120b' };
const OWN = { provider: 'own', model: 'llama3.2:3b' };

/** Every block, and the usual fields of each. */
const WHOLE = {
  name: 'whole',
  targets: [GROQ, PAID, OWN],
  providers: { own: { baseUrl: 'http://localhost:11434/v1' }, other: { baseUrl: 'https://api.example.com/openai/v1' } },
  budget: { limitUsd: '0.25', timeZone: 'Europe/Berlin', resetHour: 4, thresholds: [50, 80, 100] },
  retry: { maxRetries: 2, baseMs: 500, capMs: 30_000, shortWaitMs: 1_000, budgetPercent: 10, budgetFloor: 5 },
  breaker: { failures: 3, openMs: 30_000 },
  timeouts: { attemptMs: 30_000, totalMs: 60_000, headersMs: 5_000, firstOutputMs: 20_000, idleMs: 15_000 },
  cache: { ttlMs: 60_000, maxEntries: 50, sampled: true, toolCalls: true, fallbackAnswers: true, persist: false },
  limits: { maxInputUnits: 40_000, defaultMaxOutputTokens: 1_024, maxConcurrent: 8 },
  screen: { secrets: 'mask' },
  autoLock: {},
  prices: [{ ...OWN, inputUsd: '0', outputUsd: 0, context: 131_072 }],
  unknownPrice: 'worst',
  reasoningCommits: true,
  allowPaidFallback: true,
  degraded: { message: 'Later, please.' },
  ledger: 'indexeddb',
  debug: false,
};
const priced = (provider, model) => ({
  targets: [{ provider, model }],
  prices: [
    { provider, model, inputUsd: '0.2', outputUsd: 1.5, cacheReadUsd: 0.05, context: 256_000, maxOutput: 8_192 },
  ],
});
const CONFIGS = [
  {},
  { targets: [GROQ] },
  { targets: [OPENROUTER], budget: { limitUsd: 5 } },
  { budget: { limitUsd: '0.25', timeZone: 'America/Los_Angeles' } },
  { targets: [PAID], budget: { limitUsd: 0.5 }, cache: { ttlMs: 0 }, dialects: 'chat' },
  { targets: [GROQ], budget: { limitUsd: '0.01', thresholds: [1, 2, 100] }, limits: { defaultMaxOutputTokens: 256 } },
  { targets: [OWN], providers: WHOLE.providers, prices: WHOLE.prices },
  { targets: [{ provider: 'deepseek', model: 'deepseek-v4-flash' }], screen: { secrets: 'warn' } },
  { ...priced('mistral', 'mistral-small-latest'), screen: { secrets: 'off' } },
  { ...priced('xai', 'grok-4'), unknownPrice: 'refuse' },
  priced('huggingface', 'openai/gpt-oss-20b'),
  WHOLE,
];
/** What only the build with every dialect can do. */
const TRANSLATED = [
  { targets: [{ provider: 'openai', model: 'gpt-5-mini' }] },
  { targets: [{ provider: 'anthropic', model: 'claude-haiku-4-5' }, GROQ] },
  { targets: [{ provider: 'google', model: 'gemini-2.5-flash' }] },
];
const KEYS = {
  openai: `sk-proj-${'A1b2'.repeat(18)}T3BlbkFJ${'A1b2'.repeat(18)}`,
  anthropic: `sk-ant-api03-${'A1b2'.repeat(23)}AAA`,
  google: `AIza${'A1b2C'.repeat(7)}`,
  groq: `gsk_${'A1b2'.repeat(13)}`,
  openrouter: `sk-or-v1-${'0f'.repeat(32)}`,
  own: 'local-key',
  deepseek: `sk-${'0f'.repeat(16)}`,
  mistral: 'A1b2'.repeat(8),
  xai: `xai-${'A1b2'.repeat(20)}`,
  huggingface: `hf_${'AbCd'.repeat(8)}Ef`,
};

const TEXTS = [
  'Which train is cheaper?',
  'Größe, naïveté, 数学, ελληνικά, עברית: "quoted" \\ back\nnew\tline 🚆\u0001 end',
  `In detail:\n${'The sea answers slowly. Das Meer antwortet langsam. '.repeat(300)}`,
  '{"json": [1, 2.5, -3e8, true, null, {"deep": ["er"]}]} https://example.com/?q=1&r=2 a@example.com +1-555-0100',
  'function add(a, b) {\n  return a + b; // 0x1f, id 3f2504e0-4f89-11d3-9a0c-0305e82c3301\n}',
  'اللغة العربية, हिन्दी, ไทย, 한국어, かな カナ。Київ – “€5 ½”… \ufffd\u2003\u0301 😀 ՀԱՅ ქართული camelCaseWords IN CAPITALS',
  `fetch("/v1", ${JSON.stringify(JSON.stringify({ model: 'm', input: 'Hi \u2028 "there" \\ <insert_name_here>' }))})`,
  '\u001b[31merror\u001b[0m task-list desk_item risk-free \\x1b[1mhf_home\\u0020sk-\n%20gh_ task%3Dsk_ \\nAKI eyJ AIza xoxb',
];
const TOOL = {
  type: 'function',
  function: {
    name: 'weather',
    description: 'The weather of a place.',
    parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
  },
};
const user = (content) => [{ role: 'user', content }];
const REQUESTS = [
  ...TEXTS.map((text) => ({ messages: user(text) })),
  ...TEXTS.map((text) => ({ messages: [{ role: 'system', content: 'Be brief.' }, ...user(text)], max_tokens: 64 })),
  {
    messages: [...user('One.'), { role: 'assistant', content: 'First “answer”.' }, ...user('Two?')],
    temperature: 0.7,
    top_p: 1,
    max_completion_tokens: 200,
    seed: 7,
    stop: ['END'],
    presence_penalty: 0,
    frequency_penalty: 0.5,
    user: 'someone',
    stream: false,
  },
  { messages: user('As JSON.'), temperature: 0, response_format: { type: 'json_object' }, reasoning_effort: 'low' },
  { messages: user('Weather?'), tools: [TOOL], tool_choice: 'auto', parallel_tool_calls: false },
];

const usage = (prompt, completion) => ({
  prompt_tokens: prompt,
  completion_tokens: completion,
  total_tokens: prompt + completion,
});
const choice = (message, finish_reason = 'stop', more = {}) => ({
  index: 0,
  message: { role: 'assistant', ...message },
  logprobs: null,
  finish_reason,
  ...more,
});
/** An answer in the fields of Groq's. */
const ofGroq = (model, choice, used, more = {}) => ({
  id: 'chatcmpl-73cf8a54-d54e-400c-88b8-603d1a346d96',
  object: 'chat.completion',
  created: 1770770833,
  model,
  choices: [choice],
  usage: {
    queue_time: 0.179481775,
    ...used,
    prompt_time: 0.01182836,
    completion_time: 0.044602289,
    total_time: 5.6430649e-2,
    ...more,
  },
  usage_breakdown: null,
  system_fingerprint: 'fp_f8b414701e',
  x_groq: { id: 'req_01kh52madzem68scv0bcz3vm00', seed: 1790130236 },
  service_tier: 'on_demand',
});
/** An answer in the fields of OpenRouter's. */
const ofOpenRouter = (model, choice, used) => ({
  id: 'gen-1770770833-AbCdEf',
  provider: 'Chutes',
  model,
  object: 'chat.completion',
  created: 1770770833,
  choices: [{ ...choice, native_finish_reason: 'stop' }],
  usage: {
    ...used,
    cost: 0.0000325,
    is_byok: false,
    prompt_tokens_details: { cached_tokens: 4, audio_tokens: 0, cache_write_tokens: 0 },
    cost_details: { upstream_inference_cost: null, upstream_inference_prompt_cost: 0 },
    completion_tokens_details: { reasoning_tokens: 12, image_tokens: 0 },
  },
});
/** What Anthropic's API and Gemini's have no field for. */
const UNTRANSLATED = new Set([
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'user',
  'reasoning_effort',
  'response_format',
  'parallel_tool_calls',
]);
const translatable = (request) =>
  Object.fromEntries(Object.entries(request).filter(([name]) => !UNTRANSLATED.has(name)));

/** An answer in Anthropic's fields. */
const ofAnthropic = (model, { content, reasoning, tool_calls: calls }, turn) => ({
  id: 'msg_01AbCdEf',
  type: 'message',
  role: 'assistant',
  model,
  content: [
    ...(reasoning ? [{ type: 'thinking', thinking: reasoning, signature: 'AbCd' }] : []),
    ...(content ? [{ type: 'text', text: content }] : []),
    ...(calls ?? []).map(({ id, function: { name } }) => ({ type: 'tool_use', id, name, input: { place: 'Ulm' } })),
  ],
  stop_reason: calls ? 'tool_use' : turn % 3 === 0 ? 'max_tokens' : 'end_turn',
  stop_sequence: null,
  usage: {
    input_tokens: 18,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: 4,
    cache_creation: { ephemeral_5m_input_tokens: 0, ephemeral_1h_input_tokens: 0 },
    output_tokens: 30 + turn,
    service_tier: 'standard',
  },
});
/** An answer in Gemini's fields. */
const ofGoogle = (model, { content, reasoning, tool_calls: calls }, turn) => ({
  candidates: [
    {
      content: {
        parts: [
          ...(reasoning ? [{ text: reasoning, thought: true }] : []),
          ...(content ? [{ text: content }] : []),
          ...(calls ?? []).map(({ function: { name } }) => ({ functionCall: { name, args: { place: 'Ulm' } } })),
        ],
        role: 'model',
      },
      finishReason: turn % 3 === 0 ? 'MAX_TOKENS' : 'STOP',
      index: 0,
    },
  ],
  usageMetadata: {
    promptTokenCount: 18,
    candidatesTokenCount: 30 + turn,
    totalTokenCount: 60 + turn,
    promptTokensDetails: [{ modality: 'TEXT', tokenCount: 18 }],
    thoughtsTokenCount: 12,
  },
  modelVersion: model,
  responseId: 'AbCdEf',
});
const SAID = [
  choice({ content: 'The slow one.' }),
  choice({ content: 'Größer: "zitiert"\n\u00e9 \ud83d\ude86 \\', reasoning: 'Thought about it.\n1. S – not R' }),
  choice({ content: 'x '.repeat(4_000), refusal: null, annotations: [], reasoning_content: 'Hm.' }, 'length'),
  choice({ content: 'With details.', reasoning_details: [{ type: 'reasoning.text', text: 'Hm.', format: 'unknown' }] }),
];
const CALLED = choice(
  { content: null, tool_calls: [{ id: 'ax9f', type: 'function', function: { name: 'weather', arguments: '{}' } }] },
  'tool_calls',
);

/** What a provider says, in the words of each in turn. */
function said(url, request, turn) {
  const { model } = request;
  const own = request.tools ? CALLED : SAID[turn % SAID.length];
  const used = usage(18, 30 + turn);
  if (url.includes('anthropic')) return ofAnthropic(model, own.message, turn);
  if (url.includes('googleapis')) return ofGoogle(model, own.message, turn);
  if (url.includes('openrouter')) return ofOpenRouter(model, own, used);
  return ofGroq(
    model,
    own,
    used,
    turn % 2 === 0 ? {} : { completion_tokens_details: { reasoning_tokens: 3 }, prompt_tokens_details: null },
  );
}

/** Answers every request, one escaped as some servers escape. */
function provider() {
  let turn = 0;
  return async (url, { body }) => {
    const text = JSON.stringify(said(url, JSON.parse(body), turn++), null, turn % 3 === 0 ? 2 : undefined);
    return new Response(turn % 4 === 0 ? text.replace(/[^\0-~]/gu, escaped) : text);
  };
}
const escaped = (letter) => letter.replace(/[^]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/** As IndexedDB has it: bytes out of one decision, into the next. */
function books(decider, now) {
  let stored;
  return async (command) => {
    const [snapshot, reply] = decider.decide(stored, command, now());
    stored = snapshot ?? stored;
    return reply;
  };
}

/** Throws unless all ends as it should. `glue`, of the build of that name, has its Wasm; `now` in milliseconds. */
export async function answers(glue, build, now = Date.now) {
  for (const [code, fail] of FAILURES) await strand(glue, code, fail);
  for (const runtime of ['web', 'node']) {
    for (const config of [...CONFIGS, ...(build === 'tidegate-dialects' ? TRANSLATED : [])]) {
      const decider = new glue.LedgerDecider(config);
      for (const ledger of [undefined, books(decider, now)]) await answer(glue, config, { runtime, ledger });
      // Most have a key of one provider only.
      await answer(glue, config, { runtime, keyed: 1 });
      decider.free(); // as its finalizer does
    }
  }
}

const FAILURES = [
  ['internal', () => new Response('{"error":{}}', { status: 500, headers: { 'retry-after': '1', date: 'x' } })],
  [
    'internal',
    () => new Response('{"error":{"message":"Slow."}}', { status: 429, headers: { 'retry-after-ms': '9' } }),
  ],
  ['internal', () => Response.json({ error: { message: 'Busy.', code: 503 } })],
  ['internal', () => new Response('<html>')],
  ['internal', () => Promise.reject(new TypeError('lost'))],
  ['internal', () => new Promise(() => undefined)],
  ['aborted', (aborting) => new Promise(() => aborting.abort())],
];

/** What `chat` gives: a text, or what is told later. */
const told = (work) =>
  new Promise((resolve, reject) =>
    typeof work === 'string' ? resolve(work) : Object.assign(work, { resolve, reject }),
  );

/** What fails while the rest cannot be had. */
async function strand(glue, expected, fail) {
  const aborting = new AbortController();
  const hooks = { runtime: 'node', fetch: () => fail(aborting), rest: () => Promise.reject(new TypeError('offline')) };
  const core = new glue.Core({ targets: [GROQ], timeouts: { attemptMs: 50 } }, hooks);
  core.setKey('groq', new TextEncoder().encode(KEYS.groq));
  const request = JSON.stringify({ messages: user('Does it fail?') });
  const code = await told(core.chat(request, undefined, 0, undefined, undefined, aborting.signal)).then(
    () => 'none',
    (error) => error.code,
  );
  if (code !== expected) throw new Error(`${code} in place of ${expected}`);
}

async function answer(glue, config, { runtime, ledger, keyed }) {
  const events = new Set();
  const hooks = { runtime, ledger, fetch: provider(), rest: () => undefined, emit: (name) => events.add(name) };
  const core = new glue.Core(config, { ...hooks, debug: config.debug });
  core.listen(true);
  core.isUnlocked();
  core.vaultPresence();
  for (const { provider } of (config.targets ?? [GROQ, OPENROUTER]).slice(0, keyed)) {
    const key = new TextEncoder().encode(KEYS[provider]);
    if (core.setKey(provider, key).length > 0) throw new Error(`a key of ${provider} with warnings`);
  }
  const ask = async (request, { tenant, flags = 0, ttlMs, namespace, signal } = {}) => {
    const { tidegate, choices } = JSON.parse(
      await told(core.chat(JSON.stringify(request), tenant, flags, ttlMs, namespace, signal)),
    );
    if (!choices?.[0]?.message || tidegate.attempts > 1) {
      throw new Error(`no plain answer: ${JSON.stringify(tidegate)}`);
    }
    return tidegate;
  };
  let hits = 0;
  const asked = TRANSLATED.slice(1).includes(config) ? REQUESTS.map(translatable) : REQUESTS;
  for (const request of [...asked, ...asked]) hits += (await ask(request)).cache === 'hit' ? 1 : 0;
  if (hits > 0 !== (config.cache?.ttlMs !== 0)) throw new Error(`${hits} hits`);
  const { signal } = new AbortController();
  const [first] = REQUESTS;
  await ask(first, { tenant: 'someone', signal });
  await ask(first, { flags: 4, ttlMs: 1_000, namespace: 'own' });
  const [{ model }] = config.targets ?? [GROQ];
  await ask({ model, ...first });
  await ask({ model, messages: [{ role: 'user', content: [{ type: 'text', text: 'In parts.' }] }] });
  // The same twice at once, as React's StrictMode asks, and two others beside it.
  const joined = { messages: user('At once.') };
  const others = TEXTS.slice(0, 2).map((text) => ({ messages: user(`${text} At once.`) }));
  await Promise.all([joined, joined, ...others].map((request) => ask(request, { signal })));
  core.listen(false);
  await ask({ messages: user('Unheard.') });
  core.cached();
  core.clearCache();
  core.vaultLock();
  core.free();
  if (!events.has('attempt-end')) throw new Error(`no events but ${[...events].join(', ')}`);
}
