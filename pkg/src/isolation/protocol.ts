// What crosses between an app's page and the realm of its gateway: arrays, first the kind, then positions. Either side
// takes the other for hostile: a message that is not of these shapes is dropped.

import type { ErrorData } from '../errors.js';
import type { FlatHeaders } from '../boundary.js';
import type { ChatMeta, RequestOptions, TidegateConfig } from '../types.js';
import type { GateVault } from '../gate.js';

/** A worker, or one end of a channel to a frame. */
export type Port = Pick<MessagePort, 'postMessage'> & { onmessage: ((event: MessageEvent) => void) | null };

/** The vault's methods that cross, by name. Their bytes are transferred; what they were copied from is wiped. */
export const VAULT_CALLS = [
  'state',
  'create',
  'unlock',
  'lock',
  'confirm',
  'slots',
  'addSlot',
  'removeSlot',
  'rotate',
  'put',
  'putForSession',
  'list',
  'reveal',
  'remove',
  'forget',
  'exportFile',
  'importFile',
  'presence',
] as const satisfies readonly (keyof GateVault)[];
/** Fails to compile when the vault has a method that does not cross. */
export const everyVaultCall: Exclude<keyof GateVault, (typeof VAULT_CALLS)[number]> extends never ? true : false = true;

/** The gate's own methods that cross. */
export const GATE_CALLS = ['status', 'records', 'replay', 'clearCache', 'cached', 'routes', 'close'] as const;
export type GateCall = (typeof GATE_CALLS)[number];

/** What a page says to a frame that it has loaded, with its end of the channel. */
export const HELLO = 'tidegate-1';

/** What the gateway's realm is given to begin with. It takes one such message in its life. */
export interface Opening {
  config: TidegateConfig;
  join: boolean | undefined;
  /** Addresses of the Wasm: a bundler names them where the page's script is. */
  gateway: string;
  rest: string;
  kdf: string;
  /** Address of the script that loads later, dist/worker-later.js. */
  later: string;
}

/** One request of `gate.fetch`. */
export interface Asking {
  method: string;
  url: string;
  headers: FlatHeaders;
  body: string;
  options: RequestOptions;
  /** Why it cannot be asked: only written in the caller's dialect. */
  refusal?: ErrorData;
}

/** One answer of `gate.fetch`: whole with its account, or the head of a stream. */
export interface Answering {
  status: number;
  headers: FlatHeaders;
  body?: ArrayBuffer;
  account?: ChatMeta;
  error?: ErrorData;
}

/** Ids are the caller's, from 1 on, and end with `done`, `fail` or `account`. */
export type ToGate =
  | ['open', id: number, opening: Opening]
  | ['call', id: number, name: string, args: unknown[]]
  | ['chat', id: number, body: string, options: RequestOptions, stream: boolean]
  | ['fetch', id: number, asking: Asking]
  | ['abort', id: number]
  | ['credit', id: number, bytes: number]
  | ['listen', name: string, heard: boolean]
  | ['ping', count: number];

export type FromGate =
  | ['ready', build: string]
  | ['refused', error: ErrorData]
  | ['done', id: number, value: unknown]
  | ['fail', id: number, error: ErrorData]
  | ['begin', id: number, head: Answering | null]
  | ['data', id: number, bytes: ArrayBuffer]
  | ['end', id: number, error: ErrorData | null]
  | ['account', id: number, account: ChatMeta | null, error: ErrorData | null]
  | ['event', name: string, event: unknown]
  | ['pong', count: number]
  | ['broken'];
