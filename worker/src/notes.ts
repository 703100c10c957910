import { isTidegateError, toError } from '../../pkg/src/errors';
import type { ChatMeta } from '../../pkg/src/types';
import type { Asker } from './auth';
import type { Env } from './env';
import { counted } from './figures/counted';
import type { Outcome } from './figures/samples';
import { logged, type Told } from './log';

/** Codes of tries for which no provider was asked: its ledger did not admit them. */
const REFUSALS = new Set<string>(['budget_exceeded', 'circuit_open', 'internal', 'queue_full', 'rate_limited']);

/** What is noted of one request to a model: figures and a line in the log, once. */
export class Notes {
  /** Known once the caller is let in. Who is not is in the log alone. */
  caller: Asker | undefined;
  /** Whether the gateway has it: from then on it is counted there. */
  handed = false;
  #started = Date.now();
  #firstMs: number | undefined;
  #noted = false;

  constructor(
    /** Nothing for one that came earlier and waited in the queue. */
    readonly request: Told | undefined,
    readonly dialect: string,
    readonly env: Env,
  ) {}

  /** There is something to hand out. */
  begun(): void {
    this.#firstMs = Date.now() - this.#started;
  }

  /** The answer is whole, or was cut. */
  ended(meta: ChatMeta): Promise<void> {
    // Lists of models are no requests to one.
    if (!meta.requestId) return Promise.resolve();
    return this.#note(meta.error?.code ?? 'ok', meta);
  }

  failed(thrown: unknown): Promise<void> {
    const { code, requestId, costNanoUsd, attempts } = isTidegateError(thrown) ? thrown : toError(thrown);
    // Which attempts failed, and what they cost, is in the error.
    const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
    const asked = attempts.filter((one) => !REFUSALS.has(one.code));
    const { target = '' } = asked.at(-1) ?? attempts.at(-1) ?? {};
    const meta = { requestId: requestId ?? '', target, attempts: asked.length, costSource: 'estimated', usage };
    // No answer, so none that was in the cache or was not.
    const charged = costNanoUsd === undefined ? undefined : ({ ...meta, costNanoUsd } as Outcome['meta']);
    return this.#note(code, charged);
  }

  async #note(code: string, meta: Outcome['meta']): Promise<void> {
    if (this.#noted) return;
    this.#noted = true;
    const outcome: Outcome = {
      ...{ dialect: this.dialect, code, totalMs: Date.now() - this.#started },
      ...(this.#firstMs !== undefined && { firstMs: this.#firstMs }),
      ...(meta && { meta }),
    };
    if (this.caller) counted(this.caller, outcome, this.env);
    await logged(this.request, this.caller, outcome, this.env);
  }
}
