/**
 * What a caller may do: `chat` asks models, `admin` rules over the own organisation (tokens, keys, blocks), `metrics`
 * reads figures. `operator` rules over all organisations, and only TIDEGATE_TOKEN has it.
 */
export type Scope = 'chat' | 'admin' | 'metrics' | 'operator';

/** Who is calling: what every decision about a request is made for. It holds no secret. */
export interface Asker {
  /** Whose money, keys, cache, queue and figures. Nothing of one organisation reaches another. */
  readonly organisation: string;
  /** One of its users, if the caller says so. */
  readonly user?: string;
  /** The id of the token that the caller came with, never the token itself. */
  readonly token?: string;
  /** How much it may do, by the configuration's tiers. */
  readonly tier: string;
}

/** The same, with what it may do. */
export interface Caller extends Asker {
  readonly scopes: readonly Scope[];
}

/** The organisation of whoever runs the Worker. It needs no set-up. */
export const DEFAULT_ORGANISATION = 'default';
