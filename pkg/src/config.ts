// What a gate is opened with. Amounts are whole nano-dollars (1 USD = 1,000,000,000) or dollars as text, times are
// whole milliseconds.

import type { QueueConfig } from './queue/types.js';
import type { AutoLock } from './vault/presence.js';

/**
 * Configuration of a gate. Every field has a default; unknown fields are refused. Times are from 0 (timers and
 * `openMs` from 1) to a day, 86,400,000.
 */
export interface TidegateConfig {
  /**
   * Gates of different names are isolated: ledger, vault and cache are their own. 1 to 64 letters, digits, dots, dashes or
   * underscores. Default `default`.
   */
  name?: string | undefined;
  /**
   * Where requests go, in order: the first is the primary, the others are fallbacks.
   * Default: `groq` `openai/gpt-oss-20b`, then `openrouter` `qwen/qwen3-coder:free`.
   */
  targets?: {
    provider: string;
    model: string;
    /** One of `providers`, a gateway of your own that requests to this target go through. The budget here counts them. */
    relay?: string | undefined;
  }[];
  /**
   * Providers that are not built in, or what is different about one that is. Built in are `groq`, `openrouter`, `openai`,
   * `anthropic`, `google`, `deepseek`, `huggingface`, `mistral` and `xai`.
   */
  providers?: Record<
    string,
    {
      /**
       * Base of its API: `https:`, or `http:` on this machine. `/chat/completions` (or what the dialect has) is
       * appended. Needed unless the provider is built in.
       */
      baseUrl?: string | undefined;
      /**
       * The one format that it is spoken to in: OpenAI's chat completions or Responses, Anthropic's Messages, Gemini's
       * `generateContent`. Default: what the built-in provider speaks, `chat` for others.
       */
      dialect?: 'chat' | 'responses' | 'anthropic' | 'google' | undefined;
    }
  >;
  /** The spending cap. */
  budget?: {
    /** Dollars per period, 0 to 9,000,000, exact as a text (`'0.25'`). Default 1. */
    limitUsd?: number | string | undefined;
    /** IANA time zone whose day is the period. Default `UTC`. */
    timeZone?: string | undefined;
    /** Local hour at which the period begins, 0 to 23. Default 0. */
    resetHour?: number | undefined;
    /** Percentages of the cap, ascending, each told once per period; 100 always is. Default `[80, 100]`. */
    thresholds?: number[] | undefined;
  };
  /** Retries at the same target, of transient failures only. */
  retry?: {
    /** Retries after the first attempt, 0 to 10. Default 3. */
    maxRetries?: number | undefined;
    /** Upper end of the first back-off. Default 1,000. */
    baseMs?: number | undefined;
    /** Upper end of every back-off, and of a stated wait that is slept. Default 60,000. */
    capMs?: number | undefined;
    /** A stated wait is slept up to this while another target could be tried. Default 2,000. */
    shortWaitMs?: number | undefined;
    /** Share of requests, in percent, that retries may add, 0 to 100. Default 20. */
    budgetPercent?: number | undefined;
    /** Retries per minute that are always allowed, 0 to 10,000. Default 10. */
    budgetFloor?: number | undefined;
  };
  /** The circuit breaker, one per tenant, target and key. */
  breaker?: {
    /** Consecutive failures that open it, 1 to 1,000. Default 5. */
    failures?: number | undefined;
    /** How long it stays open before one probe. Default 60,000. */
    openMs?: number | undefined;
  };
  /** Timers. */
  timeouts?: {
    /** One attempt at a whole answer, to its last byte; streams have the timers below. Default 60,000. */
    attemptMs?: number | undefined;
    /** The whole request with its retries, waits and fallbacks. Default 120,000. */
    totalMs?: number | undefined;
    /** From sending to the headers of an answer that is streamed. Default 10,000. */
    headersMs?: number | undefined;
    /** From sending to the first output of a stream: text, reasoning or a tool call. Default 30,000. */
    firstOutputMs?: number | undefined;
    /** Between two outputs of a stream. Default 30,000. */
    idleMs?: number | undefined;
  };
  /** The exact cache: the same question of the same tenant gets the same answer. */
  cache?: {
    /** How long an answer serves; 0 switches the cache off, and equal requests at once are then each sent. Default 300,000. */
    ttlMs?: number | undefined;
    /** Answers kept; the least recently used goes first. 0 to 10,000. Default 100. */
    maxEntries?: number | undefined;
    /** Keep answers of requests whose temperature is not 0. Default true. */
    sampled?: boolean | undefined;
    /** Keep answers that call tools. Default false. */
    toolCalls?: boolean | undefined;
    /** Let a fallback's answer stand in for the primary's. Default false. */
    fallbackAnswers?: boolean | undefined;
    /** Keep answers on disk, sealed with a key of the vault, while it is unlocked. Default false. */
    persist?: boolean | undefined;
  };
  /**
   * Whose key a request of `gate.fetch` is sent with. `vault` (default): the vault's; one that looks real is taken off
   * and told (`key-in-request`). `passthrough`: one that looks real is sent to the provider that the request is meant
   * for, to no other, and has a cache of its own.
   */
  keys?: 'vault' | 'passthrough' | undefined;
  /** Limits. */
  limits?: {
    /**
     * All message texts of a `gate.chat` together, in UTF-16 units (`text.length`), 1 to 10,000,000. Default 50,000. Not of
     * `gate.fetch`, whose clients know no such limit: there the budget is the bound.
     */
    maxInputUnits?: number | undefined;
    /** Output tokens of a request that states none. Also sent to the provider. 1 to 10,000,000. Default 4,096. */
    defaultMaxOutputTokens?: number | undefined;
    /**
     * Requests in flight at once, 1 to 1,000: of all that share the ledger, so of all tabs and tenants. More are refused
     * with `queue_full`. Default 64.
     */
    maxConcurrent?: number | undefined;
  };
  /** What is done about keys in messages that are about to be sent. */
  screen?: {
    /**
     * `mask` (default): `[REDACTED:<rule>:<fingerprint>]` is sent, fingerprinted and cached in place of each secret.
     * `refuse`: `secret_detected`. `warn`: sent as it is. All three tell `secret-detected`.
     */
    secrets?: 'mask' | 'refuse' | 'warn' | 'off' | undefined;
    /**
     * Where in the answer, whole or streamed, the request's own keys are put back for their marks. `text` (default): in
     * what a person reads. `all`: in the arguments of tool calls too; whatever talks the model into a call can then
     * have the key sent along. `off`: the marks stay. Reasoning, links and the partial text of errors keep them always.
     */
    restore?: 'off' | 'text' | 'all' | undefined;
    /**
     * `warn`: tells `pattern-detected` for what is worth a look: orders to the model ("ignore all previous…"), also in
     * base64, hidden Unicode letters, reversed order, runs without width. Nothing is changed or refused, and a text
     * without any of it may be as hostile: this protects nobody. Default `off`.
     */
    patterns?: 'off' | 'warn' | undefined;
  };
  /** The queue, `gate.queue`: off unless given, if only as `{}`. Loads the largest build. */
  queue?: QueueConfig | undefined;
  /**
   * Only in the Worker, and refused elsewhere, since a gate by itself knows no callers: how often they may ask. Rates are
   * token buckets: `perMinute` flows in, `burst` (default: as much) can be used at once, both 1 to 1,000,000,000. They are
   * counted by user; without one by API token; without one by organisation. At most 64 tiers, and 64 targets.
   */
  rates?: {
    /**
     * Requests that ask a model, by the caller's tier; tokens in and out if `tokensPerMinute` is given, by an estimate
     * that the bill corrects. A caller of an unknown tier gets the slowest. Default: `free` 5, `pro` 30, `enterprise`
     * 100, each also beside those that are given.
     */
    tiers?: Record<string, { perMinute?: number; burst?: number; tokensPerMinute?: number; tokensBurst?: number }>;
    /**
     * All requests by route, beside their tier: `chat`, `embeddings`, `models`, `status`, `metrics`; `other` is each of
     * those that are not named, and there are no more. Default: `status` 300, `metrics` 60, `other` 100.
     */
    routes?: Record<string, { perMinute?: number; burst?: number }>;
    /** Attempts at the provider of a target, or at a target (`provider/model`), of the whole organisation. Default: none. */
    targets?: Record<string, { perMinute: number; burst?: number | undefined }> | undefined;
  };
  /**
   * Only in the Worker, and refused elsewhere: caps beside `budget`, in its time zone, at most 64. A request has to fit all
   * of its caller's. Of several for the same `of` and `per` the least counts.
   */
  budgets?: {
    /** Whose spending it counts: the whole organisation's, each user's, each API token's. */
    of: 'organisation' | 'user' | 'token';
    /** Its period: a local day, a week from Monday, a month. Default `day`. */
    per?: 'day' | 'week' | 'month' | undefined;
    /** Dollars per period, exact as a text. */
    limitUsd: number | string;
    /** As in `budget`. Default `[80, 95, 100]`, in the Worker for `budget` too. */
    thresholds?: number[] | undefined;
    /** Add to a period what was not used of the one before, once. Default false. */
    rollover?: boolean | undefined;
    /** Only of callers of this tier. */
    tier?: string | undefined;
  }[];
  /**
   * Only in the Worker, and refused elsewhere: isolates lease slices of the organisation's budgets and of a caller's rate
   * and decide by themselves, so that a hot organisation does not wait for its object. Not for callers with a budget of a
   * user or token, or a limit of tokens, nor with `rates.targets`. `maxConcurrent` and breakers are then each isolate's
   * own. Off unless given.
   */
  leases?: {
    /** Default true. */
    enabled?: boolean | undefined;
    /** How long a slice may be spent. Default 2,000. */
    windowMs?: number | undefined;
    /** A slice is at most this part of what is left: 64 is a sixty-fourth. 2 to 65,536. Default 64. */
    share?: number | undefined;
  };
  /** When an open vault locks itself. In browsers only. */
  autoLock?: AutoLock | undefined;
  /** Prices that go before the built-in table, in dollars per million tokens: 0, or from 0.001 to 100,000. */
  prices?: {
    provider: string;
    model: string;
    inputUsd: number | string;
    /** Of a model that writes sound or pictures too, the dearest of them: so much is reserved and charged for each token. */
    outputUsd: number | string;
    /** Left out, it is the input's. */
    cacheReadUsd?: number | string | undefined;
    /** Left out, it is what Anthropic takes for Claude (1.25 times the input, twice for an hour), for others the input's. */
    cacheWriteUsd?: number | string | undefined;
    /** Tokens of context. */
    context?: number | undefined;
    /** Most output tokens of one answer. */
    maxOutput?: number | undefined;
  }[];
  /** A model without a known price is left out (`refuse`, the default) or reserved at the worst known price. */
  unknownPrice?: 'refuse' | 'worst' | undefined;
  /**
   * Whether reasoning counts as a stream's first output, after which nothing is retried. `false` where it is not shown:
   * then a failure while the model thinks falls back unseen. Default true.
   */
  reasoningCommits?: boolean | undefined;
  /** Let a plan that begins with a free target go on to a paid one. Default false. */
  allowPaidFallback?: boolean | undefined;
  /**
   * Which dialects are loaded: `chat` is the small build with OpenAI's chat completions alone, `all` adds Responses,
   * Anthropic's Messages, Gemini and embeddings. Default: `all` if a target is of a
   * provider whose `dialect` is not `chat`, or of `openai`, `anthropic` or `google` without a `dialect`; else `chat`.
   * A Worker always has all.
   */
  dialects?: 'chat' | 'all' | undefined;
  /** Answer with this text, marked `degraded`, when every target failed. Without it the error is thrown. */
  degraded?: { message: string } | undefined;
  /**
   * Where money is counted. Browsers: `indexeddb` (default; shared by all tabs) or `memory`. Node: `memory` (default)
   * or a file on a disk of this computer, which processes may share; a link is followed, a relative path is one of the
   * folder that the process is in as it opens. A Worker: `memory` unless `hooks.ledger` is given. One that there is not
   * is refused (`config_invalid`).
   */
  ledger?: 'indexeddb' | 'memory' | { file: string } | undefined;
  /**
   * Print panics of the Wasm to the console. Only a development build of it (`wasm-pack build --dev`) can, and does
   * unless this is false: the Wasm that ships stops without a word, and its promises reject with `internal`.
   */
  debug?: boolean | undefined;
  /**
   * Which realm runs the gateway and holds the unlocked keys. `worker` (default in pages): a dedicated Web Worker, out of
   * reach for scripts of the page that start after the vault was unlocked. `frame`: a page of your own on another origin
   * (`frameUrl`), out of reach for every script of this page. `page`: right here, for development. Elsewhere (Node, Workers,
   * inside a worker of yours) there is only `page`. What cannot be had is refused with `isolation_failed`, never replaced.
   */
  isolation?: 'page' | 'worker' | 'frame' | undefined;
  /**
   * Address of `dist/worker.js` (with every dialect `dist/worker-dialects.js`, with `queue` `dist/worker-all.js`), on the
   * page's own origin. Needed only where the package itself comes from another origin: a browser starts no worker from there.
   */
  workerUrl?: string | undefined;
  /** With `isolation: 'frame'`: address of `dist/frame.html` on another origin. All other settings are the frame's own. */
  frameUrl?: string | undefined;
  /** A service worker of the origin sees every request with its key. `refuse` opens and asks nothing then. Default `allow`. */
  serviceWorker?: 'allow' | 'refuse' | undefined;
}

/** The gateway's own default of `timeouts.totalMs`. */
const DEFAULT_TOTAL_MS = 120_000;

/** How long a request of a gate with this configuration may take, in milliseconds, unless something of ours has failed. */
export const longestMs = ({ timeouts }: TidegateConfig): number => timeouts?.totalMs ?? DEFAULT_TOTAL_MS;
