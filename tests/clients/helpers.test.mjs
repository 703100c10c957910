// What SDKs offer above their plain calls comes out of `gate.fetch`, and of the Worker, as it comes from the provider itself.

import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';

import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { GoogleGenAI } from '@google/genai';
import { ChatOpenAI } from '@langchain/openai';
import OpenAI from 'openai';
import { zodResponseFormat, zodTextFormat } from 'openai/helpers/zod';
import { Tidegate } from 'tidegate';
import { z } from 'zod';

import { TOOL } from './clients/questions.mjs';
import { AFTER_TOOL, OBJECT, textOf } from './stand-in/replies.mjs';
import { startStandIn } from './stand-in.mjs';
import { KEYS, PROVIDERS, settings } from './transports/gates.mjs';
import { startWorker, TOKEN } from './transports/worker.mjs';

const MODELS = { openai: 'gpt-4.1-mini', anthropic: 'claude-sonnet-5', google: 'gemini-3.7-flash' };
const QUESTION = 'Why is it salty?';
const messages = [{ role: 'user', content: QUESTION }];
const Weather = z.object({ city: z.string(), celsius: z.number() });

const openai = (asked) => new OpenAI({ maxRetries: 0, ...asked });
const anthropic = (asked) => new Anthropic({ maxRetries: 0, ...asked });
const google = ({ apiKey, fetch, baseURL: baseUrl }) =>
  new GoogleGenAI({ apiKey, httpOptions: { ...(baseUrl && { baseUrl }), ...(fetch && { fetch }) } });
const langchain = ({ apiKey, ...configuration }) =>
  new ChatOpenAI({ model: MODELS.openai, apiKey, configuration, maxRetries: 0 });
const model = MODELS.openai;
const ownTool = {
  type: 'function',
  function: {
    name: TOOL.name,
    description: TOOL.description,
    parameters: TOOL.schema,
    parse: JSON.parse,
    function: () => '18',
  },
};
const claude = { model: MODELS.anthropic, max_tokens: 99, messages };
const runTool = betaZodTool({
  name: TOOL.name,
  description: TOOL.description,
  inputSchema: z.object({ city: z.string(), unit: z.string() }),
  run: () => '18',
});

/** What is asked, of whom, and what has to come. */
const HELPERS = {
  'openai: chat.completions.parse': [
    'openai',
    async (asked) => {
      const response_format = zodResponseFormat(Weather, 'weather');
      const { choices } = await openai(asked).chat.completions.parse({ model, messages, response_format });
      return choices[0].message.parsed;
    },
    OBJECT,
  ],
  'openai: chat.completions.stream': [
    'openai',
    async (asked) => {
      const answer = await openai(asked).chat.completions.stream({ model, messages }).finalChatCompletion();
      return answer.choices[0].message.content;
    },
    textOf(QUESTION),
  ],
  'openai: chat.completions.runTools, streamed': [
    'openai',
    (asked) =>
      openai(asked)
        .chat.completions.runTools({ model, messages, tools: [ownTool], stream: true })
        .finalContent(),
    AFTER_TOOL,
  ],
  'openai: responses.parse': [
    'openai',
    async (asked) => {
      const text = { format: zodTextFormat(Weather, 'weather') };
      return (await openai(asked).responses.parse({ model, input: QUESTION, store: false, text })).output_parsed;
    },
    OBJECT,
  ],
  'openai: responses.stream': [
    'openai',
    async (asked) =>
      (await openai(asked).responses.stream({ model, input: QUESTION, store: false }).finalResponse()).output_text,
    textOf(QUESTION),
  ],
  'anthropic: messages.stream': [
    'anthropic',
    async (asked) => (await anthropic(asked).messages.stream(claude).finalMessage()).content[0].text,
    textOf(QUESTION),
  ],
  // It asks for a thread that the provider keeps, and goes on without one where it is told that there is none.
  'anthropic: beta.messages.toolRunner': [
    'anthropic',
    async (asked) => (await anthropic(asked).beta.messages.toolRunner({ ...claude, tools: [runTool] })).content[0].text,
    AFTER_TOOL,
  ],
  'anthropic: beta.messages.toolRunner, streamed': [
    'anthropic',
    async (asked) => {
      let last;
      const runner = anthropic(asked).beta.messages.toolRunner({ ...claude, tools: [runTool], stream: true });
      for await (const stream of runner) last = await stream.finalMessage();
      return last.content[0].text;
    },
    AFTER_TOOL,
  ],
  'google: chats': [
    'google',
    async (asked) => {
      const chat = google(asked).chats.create({ model: MODELS.google });
      await chat.sendMessage({ message: 'Hello' });
      let text = '';
      for await (const chunk of await chat.sendMessageStream({ message: QUESTION })) text += chunk.text ?? '';
      return text;
    },
    textOf(QUESTION),
  ],
  'langchain: withStructuredOutput': [
    'openai',
    (asked) => langchain(asked).withStructuredOutput(Weather).invoke(QUESTION),
    OBJECT,
  ],
  'langchain: batch': [
    'openai',
    async (asked) => (await langchain(asked).batch(['One?', 'Two?'])).map(({ content }) => content),
    [textOf('One?'), textOf('Two?')],
  ],
};

describe("SDKs' helpers", () => {
  const gates = {};
  const workers = {};
  let standIn;

  before(async () => {
    standIn = await startStandIn();
    for (const [provider, own] of Object.entries(MODELS)) {
      const baseUrl = `${standIn.root(provider)}${PROVIDERS[provider][1]}`;
      const targets = [{ provider, model: own }];
      const config = { name: `helpers-${provider}`, targets, providers: { [provider]: { baseUrl } }, ...settings() };
      gates[provider] = await Tidegate.open(config);
      await gates[provider].vault.putForSession(provider, KEYS[provider]);
      workers[provider] = await startWorker({ provider, model: own }, standIn.url, 'normal');
    }
  });
  after(async () => {
    for (const gate of Object.values(gates)) await gate.close();
    for (const { harness } of Object.values(workers)) await harness.close();
    await standIn?.stop();
  });
  beforeEach(() => standIn.reset());

  for (const [title, [provider, ask, expected]] of Object.entries(HELPERS)) {
    test(title, async () => {
      const at = (root) => root + (provider === 'openai' ? '/v1' : '');
      const direct = { apiKey: KEYS[provider], baseURL: at(standIn.root(provider)) };
      assert.deepEqual(await ask(direct), expected, 'without a gateway');
      assert.deepEqual(await ask({ apiKey: 'tidegate', fetch: gates[provider].fetch }), expected, 'through one');
      const edge = { apiKey: TOKEN, baseURL: at(workers[provider].url) };
      assert.deepEqual(await ask(edge), expected, 'through the Worker');
    });
  }
});
