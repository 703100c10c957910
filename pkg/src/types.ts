// The public types. Amounts are whole nano-dollars (1 USD = 1,000,000,000), times are milliseconds.

import type { BudgetStatus } from './budget.js';
import type { ErrorCode, ErrorData } from './errors.js';
import type { QueueStats, QueueStatus } from './queue/types.js';

export type { BudgetStatus } from './budget.js';
export type { TidegateConfig } from './config.js';
export type { TidegateHooks } from './hooks.js';

/** What chat requests share, in the shape of OpenAI's chat completions. Fields not named here are carried through. */
export interface ChatFields {
  /** At least one. */
  messages: ChatMessage[];
  /** Model or `provider/model` of a configured target to ask first; none or `auto` for the configured order. */
  model?: string | undefined;
  /** Most output tokens, at least 1. Default `limits.defaultMaxOutputTokens`. */
  max_tokens?: number | undefined;
  /** The same by its later name. */
  max_completion_tokens?: number | undefined;
  temperature?: number | undefined;
  /** Functions that the model may call, in OpenAI's form: `{ type: 'function', function: { name, parameters } }`. */
  tools?: { type: string; [field: string]: unknown }[] | undefined;
  /** `{ type: 'json_object' }`, or `json_schema` with a schema. */
  response_format?: { type: string; [field: string]: unknown } | undefined;
  [field: string]: unknown;
}

/** A chat request that is answered whole. */
export interface ChatRequest extends ChatFields {
  /** `true` makes it a {@link ChatStreamRequest}: then `gate.chat` gives chunks. */
  stream?: false | undefined;
}

/** A chat request that is answered in chunks. */
export interface ChatStreamRequest extends ChatFields {
  stream: true;
}

/** One message. An answer's message can stand in the next request. */
export interface ChatMessage {
  role: 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';
  content?: string | null | { type: string; [field: string]: unknown }[] | undefined;
  /** Of the assistant: what it called. */
  tool_calls?: ToolCall[] | undefined;
  /** Of a `tool`: which call `content` is the result of. */
  tool_call_id?: string | undefined;
  [field: string]: unknown;
}

/** A function that the model wants called. The app calls it, and sends the result in a message of role `tool`. */
export interface ToolCall {
  id: string;
  type: 'function';
  /** `arguments` is JSON as the model wrote it: it may be anything. */
  function: { name: string; arguments: string };
}

/** What requests ask for beside their content. */
export interface RequestOptions {
  /** Whose request it is: cache entries and breakers never cross tenants. At most 1,024 bytes. Default `default`. */
  tenant?: string | undefined;
  /** What it asks of the cache. */
  cache?: {
    /** Do not look for a kept answer. */
    skipRead?: boolean | undefined;
    /** Do not keep the answer. */
    skipWrite?: boolean | undefined;
    /** Ask anew and let the answer replace a kept one. */
    refresh?: boolean | undefined;
    /** How long the answer serves, in milliseconds, at most a day. Default `cache.ttlMs` of the gate; 0 keeps nothing. */
    ttlMs?: number | undefined;
    /** Divides the tenant's entries. */
    namespace?: string | undefined;
  };
}

/** What one request asks for beside its content. */
export interface ChatOptions extends RequestOptions {
  /** Aborts at any point; everything held is given back at once. */
  signal?: AbortSignal | undefined;
}

/**
 * A drop-in for `fetch`: `new OpenAI({ fetch: gate.fetch })`. Requests to the API of a provider, in whichever of the
 * dialects (OpenAI chat completions and responses, Anthropic messages, Gemini), go through the gateway, and whatever
 * happens to them is a `Response` in that dialect; only an abort rejects, as with `fetch`. The SDK's own key is not sent
 * anywhere: the vault's is. Requests to any other address go to the real `fetch` untouched.
 *
 * A request may say more in headers, which go before the options of `with`: `x-tidegate-cache` (`skip`, `no-store`,
 * `refresh`; several with commas), `x-tidegate-cache-ttl-ms`, `x-tidegate-namespace`, `x-tidegate-tenant`; another header
 * of `x-tidegate-` is refused by its name. An answer has `x-request-id` and `x-tidegate-target`, `-attempts`, `-cache` and
 * `-cost-nano-usd`; a stream, whose cost is known at its end, `-reserved-nano-usd` instead. An error has `x-request-id` if a
 * request had begun, `x-should-retry`, and with a wait `retry-after` and `retry-after-ms`.
 */
export interface GateFetch {
  // By the place's own `fetch`: Node's types know no `RequestInfo`.
  (input: Parameters<typeof fetch>[0], init?: RequestInit): Promise<Response>;
  /**
   * The account of a response, or of its clone: at once for a whole answer; for a stream when it has ended or was
   * cancelled. Rejects with the `TidegateError` of an error response, and with a `TypeError` for one of another `fetch`.
   */
  result(response: Response): Promise<ChatMeta>;
  /** The same fetch with options for all of its requests. */
  with(options: RequestOptions): GateFetch;
}

/** An answer in the shape of OpenAI's chat completions, with the gateway's account of it. */
export interface ChatAnswer {
  id: string;
  object: string;
  created: number;
  model: string;
  choices: {
    index: number;
    message: {
      role: 'assistant';
      content: string | null;
      tool_calls?: ToolCall[];
      /** What the model thought, where its provider tells; some call it `reasoning_content`. */
      reasoning?: string | null;
      [field: string]: unknown;
    };
    finish_reason: string | null;
    [field: string]: unknown;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens?: number; [field: string]: unknown };
  /** What the gateway did. */
  tidegate: ChatMeta;
  [field: string]: unknown;
}

/** One piece of a streamed answer, in the shape of OpenAI's chat completions. */
export interface ChatChunk {
  id: string;
  object: string;
  created: number;
  model: string;
  /** Empty in the chunk that carries the usage. */
  choices: {
    index: number;
    delta: {
      role?: string;
      content?: string | null;
      /** Pieces of calls: those of one `index` belong together, and their `arguments` are to be joined. */
      tool_calls?: { index: number; id?: string; type?: string; function?: { name?: string; arguments?: string } }[];
      /** What the model thinks, where its provider tells; some call it `reasoning_content`. */
      reasoning?: string | null;
      [field: string]: unknown;
    };
    finish_reason: string | null;
    [field: string]: unknown;
  }[];
  usage?: { prompt_tokens: number; completion_tokens: number; total_tokens?: number; [field: string]: unknown } | null;
  [field: string]: unknown;
}

/**
 * A streamed answer, from its commit point on: `for await (const chunk of stream)`, once. Leaving the loop ends the
 * request. A stream that is cut throws a `TidegateError` after the chunks that came; it never just ends.
 */
export interface ChatStreaming extends AsyncIterable<ChatChunk> {
  /** The bytes of the server-sent events in place of the chunks, to answer a request with. An error is in band. */
  readonly readable: ReadableStream<Uint8Array>;
  /** What the gateway did: settles when the stream has ended or was left. */
  readonly result: Promise<ChatMeta>;
}

/** What the gateway did for one request. Amounts are whole nano-dollars: 1 USD is 1,000,000,000. */
export interface ChatMeta {
  /** Also in events and in the decision record. */
  requestId: string;
  /** `provider/model` of who answered; empty for a degraded reply. */
  target: string;
  /** Attempts made for this request; 0 for a hit or a joined answer. */
  attempts: number;
  /**
   * `joined`: an equal request in flight answered both. `bypass`: no answer was looked for, since the cache is off
   * or the request says so.
   */
  cache: 'hit' | 'miss' | 'bypass' | 'joined';
  /** Age of a hit, in milliseconds. */
  ageMs?: number;
  /** What a hit or a joined answer would have cost: what its answer did, without failed attempts before it. */
  savedNanoUsd?: number;
  /** What this request cost, all its attempts together. A joined answer costs something only if who asked first has left. */
  costNanoUsd: number;
  /** What a stream holds until it ends. */
  reservedNanoUsd?: number;
  /** The provider's own figure, usage times price, or the reserved bound because the provider gave no usage. */
  costSource: 'reported' | 'computed' | 'estimated';
  /** Set when every target failed and the text is the configured one. */
  degraded?: boolean;
  /** Tokens, as the provider told them; all 0 where it told none (`estimated`), of hits and of degraded replies. */
  usage: { inputTokens: number; cachedInputTokens: number; outputTokens: number; reasoningTokens: number };
  /**
   * What the answer had that the caller's dialect has no place for, where a provider of another one answered:
   * `server_tools` are those that the provider ran by itself. Not told of hits.
   */
  leftOut?: ('citations' | 'logprobs' | 'server_tools' | 'custom_tools' | 'stop_sequence' | 'other')[];
  /** What failed before the answer, in order. Told in Node and in Workers, elsewhere by a gate with a queue. */
  tried?: { target: string; code: ErrorCode; status?: number }[];
  /** Why a stream did not come to its good end. */
  error?: ErrorData;
  /** With `error`: the text of it so far. Keys of the request that were masked stay marks in it. */
  partialText?: string;
}

/** The present state of a gate. */
export interface Status {
  targets: {
    /** `provider/model`. */
    target: string;
    provider: string;
    model: string;
    /** Whether a key for its provider is at hand, or for its relay where it has one. */
    keyed: boolean;
    /**
     * Whether its price is known: from the configuration (`prices`), the built-in table, or as the worst of that table
     * (`unknownPrice: 'worst'`). A target without is passed over.
     */
    priced: boolean;
    /** With several tenants in one ledger, here and below, that of the one whom it is worst with. */
    breaker: 'closed' | 'open' | 'half-open';
    /** When an open breaker permits a probe: milliseconds since 1970, as `Date.now()`. */
    openUntil?: number;
    /** Until when the provider asked to wait, by the same clock. */
    coolingUntil?: number;
    /** Consecutive failures. */
    failures: number;
  }[];
  budget: BudgetStatus;
  cache: { entries: number; maxEntries: number; ttlMs: number };
  vault: VaultState;
  /** Where money is counted: `memory` forgets with the process. */
  ledger: 'indexeddb' | 'memory' | 'file' | 'hook';
  /** Requests of this gate being worked on. */
  inFlight: number;
  /** The queue, if it is configured: counts, and where the requests are. */
  queue?: QueueStats;
  /** Which realm runs the gateway and holds the unlocked keys. */
  isolation: 'page' | 'worker' | 'frame';
  /** Address of the service worker that sees its requests; null if there is none. */
  serviceWorker: string | null;
}

/** `absent`: none was created. */
export type VaultState = 'absent' | 'locked' | 'unlocked';

/**
 * The events of a gate. None carries content or keys. `at` is when it happened, `until` when something ends: milliseconds
 * since 1970, as `Date.now()`. Amounts are whole nano-dollars.
 */
export interface Events {
  /** A key in a request, before anything is sent. `fingerprint` is keyed with a random number of this gate. */
  'secret-detected': {
    requestId: string;
    action: 'mask' | 'refuse' | 'warn';
    rule: string;
    provider: string;
    severity: 'critical' | 'high' | 'medium' | 'low' | 'info';
    fingerprint: string;
    at: number;
  };
  /** Something in a request is worth a look (`screen.patterns`), and how often it was met. Nothing follows from it. */
  'pattern-detected': {
    requestId: string;
    pattern: 'instruction' | 'encoded-instruction' | 'hidden-tags' | 'bidi-override' | 'zero-width';
    count: number;
    at: number;
  };
  /** A request of `gate.fetch` had a key that looks real. It was taken off: it should not be where it was. */
  'key-in-request': { provider: string | null; at: number };
  'attempt-start': { requestId: string; attempt: number; target: string; retry: boolean; at: number };
  /** A stream has come to its commit point: from now on no other target is asked. `durationMs` since the attempt began. */
  'first-output': { requestId: string; attempt: number; target: string; durationMs: number; at: number };
  'attempt-end': {
    requestId: string;
    attempt: number;
    target: string;
    ok: boolean;
    code?: string;
    status?: number;
    durationMs: number;
    costNanoUsd?: number;
    at: number;
  };
  wait: { requestId: string; target: string; waitMs: number; reason: 'backoff' | 'retry-after'; at: number };
  'circuit-open': { target: string; until: number; at: number };
  'circuit-half-open': { target: string; at: number };
  'circuit-closed': { target: string; at: number };
  'budget-threshold': { percent: number; spentNanoUsd: number; limitNanoUsd: number; at: number };
  'budget-overshoot': { overshootNanoUsd: number; at: number };
  /** A request vanished (its tab was closed) and was charged its bound. */
  'lease-expired': { at: number };
  /** A queued request of this tab has changed. Without content. */
  'queue-progress': QueueStatus;
  /** The vault was locked: by `lock()`, by a rule of `autoLock`, or in another tab. */
  'vault-lock': { reason: 'call' | 'auto' | 'tab'; at: number };
  'request-end': {
    requestId: string;
    ok: boolean;
    code?: string;
    target?: string;
    cache?: ChatMeta['cache'];
    costNanoUsd: number;
    durationMs: number;
    inputTokens: number;
    outputTokens: number;
    at: number;
  };
}
