// Agents of the SDKs that people already have: each asks twice in one conversation, runs the tool as often as the model
// wants, and gives the last text.

import { createAnthropic } from '@ai-sdk/anthropic';
import { createGoogle } from '@ai-sdk/google';
import { createGroq } from '@ai-sdk/groq';
import { createOpenAI } from '@ai-sdk/openai';
import Anthropic from '@anthropic-ai/sdk';
import { betaZodTool } from '@anthropic-ai/sdk/helpers/beta/zod';
import { GoogleGenAI } from '@google/genai';
import { createOpenRouter } from '@openrouter/ai-sdk-provider';
import { generateText, isStepCount, streamText, tool } from 'ai';
import OpenAI from 'openai';
import { z } from 'zod';

const QUESTIONS = ['How warm is it?', 'And tomorrow?'];
const KEY = 'tidegate';
const Place = z.object({ city: z.string() });
const run = ({ city }) => `18 in ${city}`;

/** With the AI SDK; `options` are the provider's. */
const ai = (make, options, dialect, provider) => ({
  dialect,
  provider,
  async talk({ fetch, model, stream }) {
    const weather = tool({ description: 'The weather', inputSchema: Place, execute: run });
    const asked = { model: make(fetch, model), tools: { weather }, stopWhen: isStepCount(9), maxRetries: 0 };
    const messages = [];
    let text;
    for (const content of QUESTIONS) {
      messages.push({ role: 'user', content });
      const given = { ...asked, messages, providerOptions: options };
      const result = stream ? streamText({ ...given, onError: () => {} }) : await generateText(given);
      if (stream) await result.consumeStream({ onError: (error) => Promise.reject(error) });
      text = await result.text;
      messages.push(...(await result.response).messages);
    }
    return text;
  },
});

const parameters = z.toJSONSchema(Place);
const declared = { name: 'weather', description: 'The weather', parameters };

async function openaiTools({ fetch, model, stream }) {
  const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 });
  const own = { type: 'function', function: { ...declared, parse: JSON.parse, function: run } };
  let messages = [];
  let text;
  for (const content of QUESTIONS) {
    const asked = { model, messages: [...messages, { role: 'user', content }], tools: [own], stream };
    const runner = client.chat.completions.runTools(asked);
    text = await runner.finalContent();
    messages = runner.messages;
  }
  return text;
}

/** As OpenAI's guide does it: what came out goes in again. */
async function openaiResponses({ fetch, model, stream }) {
  const client = new OpenAI({ apiKey: KEY, fetch, maxRetries: 0 });
  const input = [];
  let text;
  for (const content of QUESTIONS) {
    input.push({ role: 'user', content });
    for (let called = true; called;) {
      const tools = [{ type: 'function', ...declared, strict: false }];
      const asked = { model, input, tools, store: false, include: ['reasoning.encrypted_content'] };
      const response = stream
        ? await client.responses.stream(asked).finalResponse()
        : await client.responses.create(asked);
      // What helpers of the SDK read into an item is none of the API's.
      input.push(...response.output.map(({ parsed_arguments: _, ...item }) => item));
      const calls = response.output.filter(({ type }) => type === 'function_call');
      const output = ({ call_id, arguments: args }) => ({
        type: 'function_call_output',
        call_id,
        output: run(JSON.parse(args)),
      });
      input.push(...calls.map(output));
      called = calls.length > 0;
      text = response.output_text;
    }
  }
  return text;
}

const anthropicTools =
  (thinking) =>
  async ({ fetch, model, stream }) => {
    const client = new Anthropic({ apiKey: KEY, fetch, maxRetries: 0 });
    const own = betaZodTool({ name: 'weather', description: 'The weather', inputSchema: Place, run });
    let messages = [];
    let last;
    for (const content of QUESTIONS) {
      const asked = {
        model,
        max_tokens: 4_000,
        messages: [...messages, { role: 'user', content }],
        tools: [own],
        ...thinking,
      };
      const runner = client.beta.messages.toolRunner({ ...asked, stream });
      for await (const step of runner) last = stream ? await step.finalMessage() : step;
      messages = [...runner.params.messages];
      if (messages.at(-1).role !== 'assistant') messages.push({ role: 'assistant', content: last.content });
    }
    return last.content.findLast(({ type }) => type === 'text').text;
  };

async function googleChat({ fetch, model, stream }) {
  const client = new GoogleGenAI({ apiKey: KEY, httpOptions: { fetch } });
  const own = {
    tool: async () => ({
      functionDeclarations: [{ ...declared, parameters: undefined, parametersJsonSchema: parameters }],
    }),
    callTool: async (calls) =>
      calls.map(({ id, name, args }) => ({
        functionResponse: { ...(id && { id }), name, response: { output: run(args) } },
      })),
  };
  const chat = client.chats.create({ model, config: { tools: [own] } });
  let text = '';
  for (const message of QUESTIONS) {
    if (!stream) text = (await chat.sendMessage({ message })).text;
    else {
      text = '';
      for await (const chunk of await chat.sendMessageStream({ message })) text += chunk.text ?? '';
    }
  }
  return text;
}

const adaptive = { thinking: { type: 'adaptive' } };
const budget = { thinking: { type: 'enabled', budget_tokens: 1_024 } };
const budgetOfAi = { anthropic: { thinking: { type: 'enabled', budgetTokens: 1_024 } } };
const stateless = { openai: { store: false } };

/** Who asks, in which dialect, and whom. */
export const AGENTS = {
  'ai: openai': ai((fetch, model) => createOpenAI({ apiKey: KEY, fetch })(model), stateless, 'responses', 'openai'),
  'ai: openai.chat': ai((fetch, model) => createOpenAI({ apiKey: KEY, fetch }).chat(model), {}, 'chat', 'openai'),
  'ai: anthropic': ai(
    (fetch, model) => createAnthropic({ apiKey: KEY, fetch })(model),
    budgetOfAi,
    'anthropic',
    'anthropic',
  ),
  'ai: google': ai((fetch, model) => createGoogle({ apiKey: KEY, fetch })(model), {}, 'google', 'google'),
  'ai: groq': ai((fetch, model) => createGroq({ apiKey: KEY, fetch })(model), {}, 'chat', 'groq'),
  'ai: openrouter': ai((fetch, model) => createOpenRouter({ apiKey: KEY, fetch })(model), {}, 'chat', 'openrouter'),
  'openai: runTools': { dialect: 'chat', provider: 'openai', talk: openaiTools },
  'openai: responses': { dialect: 'responses', provider: 'openai', talk: openaiResponses },
  'anthropic: toolRunner': { dialect: 'anthropic', provider: 'anthropic', talk: anthropicTools(adaptive) },
  'anthropic: toolRunner, a budget': { dialect: 'anthropic', provider: 'anthropic', talk: anthropicTools(budget) },
  'google: chat': { dialect: 'google', provider: 'google', talk: googleChat },
};
