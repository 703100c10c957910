import { isTidegateError, toError, type ErrorData } from '../../pkg/src/errors';
import type { ChatMeta } from '../../pkg/src/types';
import type { Asker } from './auth';
import type { Env } from './env';
import { reasonOf } from './errors';
import { counted } from './figures/counted';
import type { Outcome } from './figures/samples';
import { logged, newId, type Told } from './log';

/** What is noted of one request to a model: figures and a line in the log, once. */
export class Notes {
  /** Known once the caller is let in. Who is not is in the log alone. */
  caller: Asker | undefined;
  /** Whether the gateway has it: from then on it is counted there. */
  handed = false;
  #started = Date.now();
  #firstMs: number | undefined;
  #noted = false;
  #id: string | undefined;

  constructor(
    /** Nothing for one that came earlier and waited in the queue. */
    readonly request: Told | undefined,
    readonly dialect: string,
    readonly env: Env,
  ) {}

  /** Its id in answer and log, where the gateway gives it none. */
  get id(): string {
    return (this.#id ??= newId());
  }

  /** There is something to hand out. */
  begun(): void {
    this.#firstMs = Date.now() - this.#started;
  }

  /** The answer is whole, or was cut. */
  ended(meta: ChatMeta): Promise<void> {
    // Lists of models are no requests to one: no figure has them.
    if (!meta.requestId) return this.#note('ok', undefined, false);
    return this.#note(meta.error?.code ?? 'ok', meta, true, whyOf(meta.error));
  }

  failed(thrown: unknown): Promise<void> {
    const error = isTidegateError(thrown) ? thrown : toError(thrown);
    const { code, requestId, costNanoUsd, asked, attempts } = error;
    // Who was asked, and what that cost, is in the error; else who would have been.
    const usage = { inputTokens: 0, cachedInputTokens: 0, outputTokens: 0, reasoningTokens: 0 };
    const target = (asked ?? attempts.at(-1))?.target ?? '';
    const meta = {
      ...{ requestId: requestId ?? '', target, attempts: asked?.exchanges ?? 0 },
      ...{ costSource: 'estimated', usage },
    };
    // No answer, so none that was in the cache or was not.
    const charged = costNanoUsd === undefined ? undefined : ({ ...meta, costNanoUsd } as Outcome['meta']);
    return this.#note(code, charged, true, whyOf(error));
  }

  async #note(code: string, meta: Outcome['meta'], counts = true, why: Why = {}): Promise<void> {
    if (this.#noted) return;
    this.#noted = true;
    const outcome: Outcome = {
      ...{ dialect: this.dialect, code, totalMs: Date.now() - this.#started },
      ...(this.#firstMs !== undefined && { firstMs: this.#firstMs }),
      ...(meta && { meta }),
      ...why,
    };
    if (this.caller && counts) counted(this.caller, outcome, this.env);
    await logged(this.request, this.caller, outcome, this.env, meta?.requestId || this.#id);
  }
}

type Why = Pick<Outcome, 'tried' | 'reason'>;

/** What of an error the log needs besides its code: names and statuses, and nothing that a caller or a provider wrote. */
function whyOf(error: ErrorData | undefined): Why {
  const { code, attempts = [] } = error ?? {};
  const tried = attempts.map(({ target, code, status }) => ({ target, code, ...(status !== undefined && { status }) }));
  return {
    ...(tried.length > 0 && { tried }),
    ...(code === 'config_invalid' && { reason: reasonOf(error) }),
  };
}
