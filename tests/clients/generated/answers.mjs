// What a provider answers, at random: first what it says, then how its dialect writes that.

import { anthropic } from './anthropic.mjs';
import { chat } from './chat.mjs';
import { google } from './google.mjs';
import { random } from './random.mjs';
import { responses } from './responses.mjs';

const WRITERS = { chat, responses, anthropic, google };
export const DIALECTS = Object.keys(WRITERS);

/** Who speaks a dialect, with peculiarities of their own. */
export const PROVIDERS = {
  chat: ['groq', 'openrouter', 'xai', 'deepseek', 'openai', 'mine'],
  responses: ['openai'],
  anthropic: ['anthropic'],
  google: ['google'],
};

/**
 * What has no form that all dialects share, by dialect and kind, and the name that an account tells it by where it is left
 * out. `null`: it is not left out but refused, since whoever missed it would not know.
 */
export const EXTRAS = {
  chat: { annotations: 'citations', logprobs: 'logprobs', sources: 'citations', ran: 'server_tools', picture: null },
  responses: { annotations: 'citations', logprobs: 'logprobs', searched: 'server_tools', ran: 'server_tools' },
  anthropic: { annotations: 'citations', searched: 'server_tools', ran: 'server_tools' },
  google: { annotations: 'citations', logprobs: 'logprobs', ran: 'server_tools', picture: null },
};

/**
 * @typedef {object} Said one answer of several
 * @property {string} text
 * @property {string} reasoning
 * @property {string} refusal
 * @property {{ id?: string, name: string, args: object }[]} calls
 * @property {'stop' | 'tool' | 'length' | 'filter'} finish
 */

/** @returns {Said} */
function said(draw, place) {
  const text = draw.chance(0.75) ? draw.text(10) : '';
  const reasoning = draw.chance(0.4) ? draw.text() : '';
  const name = () => draw.pick(['f', 'get_weather', 'a-b', 'x1']);
  const args = () => (draw.chance(0.15) ? {} : draw.object());
  const call = (index) => ({ id: `call_${draw.int(100, 999)}_${place}${index}`, name: name(), args: args() });
  const calls = draw.chance(0.45) ? draw.times(draw.int(1, 4), call) : [];
  const refusal = !text && calls.length === 0 && draw.chance(0.5) ? draw.text(4) : '';
  const early = draw.chance(0.15) && draw.pick(['length', 'filter']);
  return { text, reasoning, refusal, calls, finish: early || (calls.length > 0 ? 'tool' : 'stop') };
}

function counted(draw) {
  const reasoning = draw.chance(0.5) ? draw.int(1, 30) : 0;
  const input = draw.int(60, 500);
  return {
    input,
    cached: draw.chance(0.4) ? draw.int(0, input - 50) : 0,
    written: draw.chance(0.3) ? draw.int(1, 50) : 0,
    output: reasoning + draw.int(1, 100),
    reasoning,
  };
}

/**
 * An answer of `provider`: `model` is what it says, `whole` its body, `frames` its stream. `choices`: how many were asked
 * for. A writer corrects the model where its dialect cannot say something.
 */
export function answer(seed, dialect, provider, choices) {
  const draw = random(seed);
  const model = {
    id: `id-${draw.int(1_000, 9_999)}`,
    name: 'mod-el',
    choices: draw.times(choices, (place) => said(draw, place)),
    usage: draw.chance(0.9) ? counted(draw) : null,
    extra: draw.chance(0.25) ? draw.pick(Object.keys(EXTRAS[dialect])) : null,
  };
  return { model, ...WRITERS[dialect](draw, model, provider) };
}
