// `gate.fetch` of a gate in another realm: the request's parts are read here, everything else happens there.

import { joined } from '../asks.js';
import { addressOf, partsOf, textOf } from '../body.js';
import { checked } from '../checked.js';
import { dataOf, invalid, isTidegateError, TidegateError, type ErrorData } from '../errors.js';
import { flat, headersOf } from '../flat.js';
import type { ChatMeta, GateFetch, RequestOptions } from '../types.js';
import type { Line } from './line.js';
import { isolationFailed } from './place.js';
import type { Answering, Asking } from './protocol.js';
import { flat as areCarried, name as isName } from './shapes.js';
import { Streamed } from './streamed.js';

/** What it needs of its gate. */
export interface FetchRealm {
  /** The page's own fetch. */
  real: typeof fetch;
  /** Whether the gate takes requests to this address. */
  routes(method: string, url: string): Promise<boolean>;
  line(): Promise<Line>;
}

/** Addresses that are remembered as the gate's or not: which they are follows from its configuration. */
const MOST_ROUTES = 256;
/** Answers of these statuses have no body, and `Response` takes none. */
const BODILESS = [101, 204, 205, 304];

interface Shared {
  results: WeakMap<Response, Promise<ChatMeta>>;
  routes: Map<string, boolean>;
}

export function remoteFetch(
  realm: FetchRealm,
  options: RequestOptions = {},
  shared: Shared = { results: new WeakMap(), routes: new Map() },
): GateFetch {
  const { results, routes } = shared;
  // Browsers' own fetch refuses to be a method of something else.
  const { real } = realm;

  const remember = (response: Response, result: Promise<ChatMeta>): Response => {
    // Who never asks for it is not told of its failure.
    result.catch(() => undefined);
    results.set(response, result);
    const clone = () => remember(Response.prototype.clone.call(response), result);
    return Object.defineProperty(response, 'clone', { value: clone, configurable: true, writable: true });
  };

  const isOurs = async (method: string, url: string): Promise<boolean> => {
    const address = `${method} ${url}`;
    const known = routes.get(address);
    if (known !== undefined) return known;
    const ours = await realm.routes(method, url);
    if (routes.size >= MOST_ROUTES) routes.clear();
    routes.set(address, ours);
    return ours;
  };

  const answerOf = ([bytes, value]: [ReadableStream<Uint8Array> | undefined, unknown], result: Promise<ChatMeta>) => {
    const head = value as Answering;
    const { status, body, account, error } = head;
    const init = { status, headers: headersOf(head.headers) };
    if (bytes) return remember(new Response(bytes, init), result);
    const whole = account ? Promise.resolve(account) : Promise.reject(new TidegateError(error ?? NO_ACCOUNT));
    return remember(new Response(BODILESS.includes(status) ? null : body, init), whole);
  };

  const fetch = async (input: RequestInfo | URL, init?: RequestInit): Promise<Response> => {
    const [method, url] = addressOf(input, init);
    if (url === undefined || !(await isOurs(method, url))) return real(input, init);
    const { headers, signal, body } = partsOf(input, init);
    signal?.throwIfAborted();
    let text = '';
    let refusal: ErrorData | undefined;
    try {
      checked(options);
      text = await textOf(body);
    } catch (thrown) {
      refusal = dataOf(thrown);
    }
    signal?.throwIfAborted();
    const asking = askingOf(method, url, headers, text, options, refusal);
    try {
      const streamed = new Streamed(await realm.line(), signal, (id) => ['fetch', id, asking]);
      return answerOf(await streamed.answer, streamed.result);
    } catch (thrown) {
      // As `fetch` does: with the signal's own reason.
      signal?.throwIfAborted();
      // The realm was lost: there is nobody left who could write it in the caller's dialect.
      const error = isTidegateError(thrown) ? thrown : isolationFailed('The request could not be sent.', false, thrown);
      return remember(Response.json({ error: dataOf(error) }, { status: error.status }), Promise.reject(error));
    }
  };

  const result = async (response: Response): Promise<ChatMeta> => {
    const known = results.get(response);
    if (!known) throw new TypeError('This response does not come from a gate.');
    return known;
  };

  const withOptions = (more: RequestOptions): GateFetch => remoteFetch(realm, joined(options, more), shared);

  return Object.assign(fetch, { result, with: withOptions });
}

/** The other side drops what is of no shape: who waited for an answer to that would wait for ever. */
function askingOf(
  method: string,
  url: string,
  headers: Headers,
  body: string,
  options: RequestOptions,
  refusal: ErrorData | undefined,
): Asking {
  const lines = flat(headers);
  const isCarried = isName(method) && areCarried(lines);
  const told =
    refusal ?? (isCarried ? undefined : dataOf(invalid('', 'has more headers, or a longer method, than is carried')));
  if (told) return { method: 'POST', url, headers: [], body: '', options: {}, refusal: told };
  return { method, url, headers: lines, body, options };
}

const NO_ACCOUNT = dataOf(isolationFailed('The answer came without its account.'));
