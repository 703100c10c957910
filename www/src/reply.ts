import type { ChatAnswer, ChatChunk } from 'tidegate';

export interface ToolCall {
  name: string;
  /** JSON as the model writes it; while it streams, its beginning. */
  arguments: string;
}

/** As much of an answer as has come. */
export interface Reply {
  text: string;
  reasoning: string;
  toolCalls: ToolCall[];
  finishReason: string | null;
}

export const NOTHING: Reply = { text: '', reasoning: '', toolCalls: [], finishReason: null };

/** What both a message and a piece of one may hold; providers do not agree on the name of the reasoning. */
interface Part {
  content?: string | null;
  reasoning?: unknown;
  reasoning_content?: unknown;
  tool_calls?: unknown;
}

interface ToolPart {
  index?: number;
  function?: { name?: string; arguments?: string };
}

const isToolParts = (value: unknown): value is ToolPart[] =>
  Array.isArray(value) && value.every((part) => typeof part === 'object' && part !== null);

const reasoningOf = ({ reasoning, reasoning_content: content }: Part): string =>
  [reasoning, content].find((text) => typeof text === 'string') ?? '';

/** A call comes in pieces that say which call they belong to; the name comes with the first. */
const withTools = (calls: ToolCall[], parts: ToolPart[]): ToolCall[] =>
  parts.reduce((all, part, at) => {
    const index = part.index ?? at;
    const known = all[index] ?? { name: '', arguments: '' };
    const next = [...all];
    next[index] = {
      name: known.name + (part.function?.name ?? ''),
      arguments: known.arguments + (part.function?.arguments ?? ''),
    };
    return next;
  }, calls);

const withPart = (reply: Reply, part: Part, finishReason: string | null): Reply => ({
  text: reply.text + (part.content ?? ''),
  reasoning: reply.reasoning + reasoningOf(part),
  toolCalls: isToolParts(part.tool_calls) ? withTools(reply.toolCalls, part.tool_calls) : reply.toolCalls,
  finishReason: finishReason ?? reply.finishReason,
});

/** The reply with one more piece of the stream. */
export const withChunk = (reply: Reply, chunk: ChatChunk): Reply => {
  const choice = chunk.choices[0];
  return choice ? withPart(reply, choice.delta, choice.finish_reason) : reply;
};

/** The reply of an answer that came whole. */
export const replyOf = (answer: ChatAnswer): Reply => {
  const choice = answer.choices[0];
  return choice ? withPart(NOTHING, choice.message, choice.finish_reason) : NOTHING;
};

export const isEmpty = ({ text, reasoning, toolCalls }: Reply) => !text && !reasoning && toolCalls.length === 0;
