// What coding agents send beside a conversation, in the shapes in which Claude Code 2.1, Codex 0.169, Gemini CLI 0.61 and
// opencode 1.18 sent it: each provider gets what it takes, and no agent is turned away for what costs nothing.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import { Tidegate } from 'tidegate';

import { startStandIn } from './stand-in.mjs';
import { KEYS, PROVIDERS, settings } from './transports/gates.mjs';

/** Agents ask every model to think: those that cannot are left out. */
const MODELS = {
  anthropic: 'claude-sonnet-4-6',
  openai: 'gpt-5.4',
  groq: 'openai/gpt-oss-20b',
  openrouter: 'qwen/qwen3-coder',
  google: 'gemini-2.5-flash',
};
const SCHEMA = { type: 'object', properties: { cmd: { type: 'string' } }, required: ['cmd'] };
const MARK = { type: 'ephemeral' };

let questions = 0;
/** So that no answer comes out of the cache. */
const question = () => `Why is coded sea ${(questions += 1)} salty?`;

const claudeCode = (more = {}) => ({
  model: 'auto',
  max_tokens: 32_000,
  stream: true,
  metadata: { user_id: '{"device_id":"0333","account_uuid":""}' },
  thinking: { type: 'adaptive' },
  output_config: { effort: 'high' },
  context_management: { edits: [{ type: 'clear_thinking_20251015', keep: 'all' }] },
  system: [
    { type: 'text', text: 'You are an agent.' },
    { type: 'text', text: 'Be brief.', cache_control: { ...MARK, ttl: '1h' } },
  ],
  tools: [{ name: 'Bash', description: 'Runs a command.', input_schema: SCHEMA }],
  messages: [{ role: 'user', content: [{ type: 'text', text: question(), cache_control: MARK }] }],
  ...more,
});
const BETAS =
  'claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27,mid-conversation-system-2026-04-07';

const codex = (more = {}) => ({
  model: 'auto',
  stream: true,
  store: false,
  parallel_tool_calls: true,
  tool_choice: 'auto',
  reasoning: { effort: 'medium', summary: 'auto' },
  include: ['reasoning.encrypted_content'],
  prompt_cache_key: '01a2',
  client_metadata: { 'x-codex-turn-metadata': '{"sandbox":"none"}' },
  tools: [
    {
      type: 'namespace',
      name: 'mcp__docs',
      description: 'What the handbook says.',
      tools: [{ type: 'function', name: 'search', strict: false, parameters: SCHEMA }],
    },
    { type: 'function', name: 'exec_command', strict: false, parameters: SCHEMA },
  ],
  input: [
    { type: 'message', id: 'msg_1', role: 'developer', content: [{ type: 'input_text', text: 'Be brief.' }] },
    { type: 'message', id: 'msg_2', role: 'user', content: [{ type: 'input_text', text: question() }] },
  ],
  ...more,
});
/** As the newest models are asked: the tools come in the conversation, and are none that have a schema. */
const codexToday = () => {
  const { tools, ...rest } = codex({ reasoning: { effort: 'low', context: 'all_turns' } });
  const exec = { type: 'custom', name: 'exec', description: 'Runs a script.', format: { type: 'text' } };
  const namespace = { type: 'namespace', name: 'functions', description: '', tools: [exec, tools[1]] };
  const called = {
    type: 'custom_tool_call',
    call_id: 'call_1',
    ...{ name: 'exec', namespace: 'functions' },
    input: 'x',
  };
  const input = [
    { type: 'additional_tools', id: 'at_1', role: 'developer', tools: [namespace] },
    ...rest.input,
    called,
    { type: 'custom_tool_call_output', call_id: 'call_1', output: [{ type: 'input_text', text: '4' }] },
  ];
  return { ...rest, input };
};

const geminiCli = () => ({
  systemInstruction: { parts: [{ text: 'Be brief.' }], role: 'user' },
  contents: [{ role: 'user', parts: [{ text: question() }] }],
  generationConfig: {
    temperature: 1,
    topP: 0.95,
    topK: 64,
    thinkingConfig: { includeThoughts: true, thinkingBudget: 8192 },
  },
  tools: [{ functionDeclarations: [{ name: 'run_shell_command', parametersJsonSchema: SCHEMA }] }],
});

const opencode = () => ({
  model: 'auto',
  stream: true,
  stream_options: { include_usage: true },
  max_tokens: 32_000,
  tool_choice: 'auto',
  tools: [{ type: 'function', function: { name: 'bash', parameters: SCHEMA } }],
  messages: [
    { role: 'system', content: 'Be brief.', cache_control: MARK },
    { role: 'user', content: [{ type: 'text', text: question() }], cache_control: MARK },
    {
      role: 'assistant',
      content: null,
      tool_calls: [
        { id: 'call_000', type: 'function', function: { name: 'bash', arguments: '{}' }, cache_control: MARK },
      ],
    },
    { role: 'tool', tool_call_id: 'call_000', content: 'Nothing.', cache_control: MARK },
    { role: 'user', content: 'Once more.' },
  ],
});

describe('coding agents', () => {
  const ALL = Object.keys(MODELS);
  const gates = new Map();
  let standIn;
  before(async () => (standIn = await startStandIn()));
  after(async () => {
    for (const gate of gates.values()) await gate.close();
    await standIn?.stop();
  });
  beforeEach(() => standIn.reset());

  /** The gate whose plan is these providers. */
  async function through(providers) {
    const name = providers.join('-');
    if (!gates.has(name)) {
      const base = (provider) => `${standIn.root(provider)}${PROVIDERS[provider][1]}`;
      const gate = await Tidegate.open({
        ...settings(),
        name: `coding-${name}`,
        ledger: 'memory',
        targets: providers.map((provider) => ({ provider, model: MODELS[provider] })),
        providers: Object.fromEntries(providers.map((provider) => [provider, { baseUrl: base(provider) }])),
      });
      for (const provider of providers) await gate.vault.putForSession(provider, KEYS[provider]);
      gates.set(name, gate);
    }
    return gates.get(name);
  }

  async function ask(providers, [origin, path], body, headers = {}) {
    const gate = await through(providers);
    const response = await gate.fetch(`${PROVIDERS[origin][0]}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    });
    return { status: response.status, text: await response.text() };
  }
  const MESSAGES = ['anthropic', '/v1/messages?beta=true'];
  const RESPONSES = ['openai', '/v1/responses'];
  const CONTENT = ['google', '/v1beta/models/auto:streamGenerateContent?alt=sse'];
  const CHAT = ['openai', '/v1/chat/completions'];
  const sent = () => standIn.journal.at(-1)?.body;

  for (const provider of ALL) {
    for (const [title, body] of [
      ['Claude Code', () => claudeCode()],
      ['Claude Code without thinking', () => claudeCode({ thinking: { type: 'disabled' }, temperature: 1 })],
      ['Claude Code at its most', () => claudeCode({ output_config: { effort: 'max' } })],
    ]) {
      test(`${title}, and ${provider} answers`, async () => {
        const { status, text } = await ask([provider], MESSAGES, body(), { 'anthropic-beta': BETAS });
        if (provider === 'groq' && title.endsWith('without thinking')) {
          assert.match(text, /this model always reasons/);
          return;
        }
        assert.equal(status, 200, text);
        assert.match(text, /"type":"tool_use".*"name":"Bash"/);
        assert.match(text, /event: message_stop\n/);
        const own = provider === 'anthropic' ? 'clear_thinking_20251015' : undefined;
        assert.equal(sent().context_management?.edits[0].type, own);
      });
    }

    test(`Codex, and ${provider} answers by one of its namespaces`, async () => {
      const { status, text } = await ask([provider], RESPONSES, codex());
      assert.equal(status, 200, text);
      if (provider === 'openai') {
        assert.deepEqual(sent().tools, codex().tools);
        return;
      }
      const done = /^data: (.*"type":"response.completed".*)$/m.exec(text);
      const [call] = JSON.parse(done[1]).response.output.filter(({ type }) => type === 'function_call');
      assert.deepEqual([call.namespace, call.name], ['mcp__docs', 'search']);
    });

    test(`Gemini CLI, and ${provider} answers`, async () => {
      const { status, text } = await ask([provider], CONTENT, geminiCli());
      assert.equal(status, 200, text);
      assert.match(text, /"functionCall":\{.*"name":"run_shell_command"/);
      assert.equal(sent().generationConfig?.topK, provider === 'google' ? 64 : undefined);
      assert.equal(sent().top_k, undefined);
    });

    test(`opencode, and ${provider} answers`, async () => {
      const { status, text } = await ask([provider], CHAT, opencode());
      assert.equal(status, 200, text);
      const marks = JSON.stringify(sent()).match(/"cache_control"/g)?.length ?? 0;
      assert.equal(marks, provider === 'anthropic' || provider === 'openrouter' ? 4 : 0);
    });
  }

  test('what the provider runs is refused by name, before anybody is asked', async () => {
    const search = { type: 'web_search', external_web_access: true };
    const { tools } = codex();
    for (const [path, body, field] of [
      [RESPONSES, codex({ tools: [...tools, search] }), 'tools[2].type'],
      [MESSAGES, claudeCode({ tools: [{ type: 'web_search_20250305', name: 'web_search' }] }), 'tools[0].type'],
      [
        MESSAGES,
        claudeCode({ context_management: { edits: [{ type: 'compact_20260112' }] } }),
        'context_management.edits[0].type',
      ],
    ]) {
      const { status, text } = await ask(['openai', 'anthropic'], path, body);
      assert.equal(status, 422, text);
      assert.match(text, /unpriced_input/i);
      assert.ok(text.includes(field), text);
    }
    assert.deepEqual(standIn.journal, []);
  });

  test('texts that are to be cited go to Claude as they came, and to others only if they are not', async () => {
    const found = (enabled) => ({
      model: 'auto',
      max_tokens: 100,
      messages: [
        { role: 'user', content: 'Look it up.' },
        {
          role: 'assistant',
          content: [{ type: 'text', text: 'It is.', citations: [{ type: 'char_location', cited_text: 'It' }] }],
        },
        {
          role: 'user',
          content: [
            {
              ...{ type: 'search_result', source: 'https://sea.example', title: 'Sea', citations: { enabled } },
              content: [{ type: 'text', text: 'Salty.' }],
            },
            {
              ...{ type: 'document', title: 'Rivers', context: 'Old', citations: { enabled } },
              source: { type: 'text', media_type: 'text/plain', data: 'Fresh.' },
            },
            { type: 'text', text: question() },
          ],
        },
      ],
    });
    const cited = found(true);
    const { status, text } = await ask(['openai', 'anthropic'], MESSAGES, cited);
    assert.equal(status, 200, text);
    assert.deepEqual(
      standIn.journal.map(({ provider, body }) => [provider, body.messages]),
      [['anthropic', cited.messages]],
    );
    const alone = await ask(['openai'], MESSAGES, cited);
    assert.equal(alone.status, 400, alone.text);
    assert.match(alone.text, /messages\[2\]\.content/);
    const plain = await ask(['openai'], MESSAGES, found(false));
    assert.equal(plain.status, 200, plain.text);
    const { content } = sent().messages.at(-1);
    assert.deepEqual(
      content.slice(0, 2).map(({ text }) => text),
      ['Sea\nhttps://sea.example\nSalty.', 'Rivers\nOld\nFresh.'],
    );
    assert.equal(sent().messages[1].content, 'It is.');
  });

  test('tools that only OpenAI reads leave the other targets out', async () => {
    const { status, text } = await ask(['groq', 'openai'], RESPONSES, codexToday());
    assert.equal(status, 200, text);
    assert.deepEqual(
      standIn.journal.map(({ provider, body }) => [provider, body.input[0].tools[0].tools[0].name]),
      [['openai', 'exec']],
    );
    const alone = await ask(['groq'], RESPONSES, codexToday());
    assert.equal(alone.status, 400, alone.text);
    assert.match(alone.text, /only to a target that speaks Responses/);
  });
});
