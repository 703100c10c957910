import { asksOf, asksWith } from '../../pkg/src/asks';
import { answered, flat } from '../../pkg/src/fetch';
import { callerOf, stripped, type Stripped } from './auth';
import { readBody } from './body';
import { errorResponse, invalid, nothingHere, unsupported, wrongMethod } from './errors';
import { keyedGateOf, partsOf, within } from './gates';
import { traceOf } from './log';
import { Notes } from './notes';
import type { Ours } from './routes/route';
import { asked, load } from './wasm';

/** The prefixes that clients insist on: OpenAI's and Anthropic's, Gemini's, Groq's, OpenRouter's. */
const API = /^\/(v1|v1beta|openai\/v1|api\/v1)(\/|\?|$)/;

/** Any request that is not the Worker's own: the body goes to the gateway as it came, the answer back as it came. */
export async function api(c: Ours): Promise<Response> {
  load();
  const request = stripped(c.req.raw);
  const names = [...request.headers.keys()];
  const [endpoint, dialect, method] = asked(c.req.method, request.path, names) as [string, string, string?];
  const notes = new Notes(c.req.raw, dialect, c.env);
  try {
    return await served(c, request, endpoint, method, notes);
  } catch (thrown) {
    c.executionCtx.waitUntil(notes.failed(thrown));
    const response = errorResponse(dialect, thrown);
    if (response.status === 405 && method) response.headers.set('allow', method);
    return response;
  }
}

async function served(
  c: Ours,
  { given, headers, path }: Stripped,
  endpoint: string,
  method: string | undefined,
  notes: Notes,
): Promise<Response> {
  if (!API.test(path)) throw nothingHere();
  const caller = await callerOf(c.req.raw, given, c.env, 'chat');
  notes.caller = caller;
  if (!method) throw unsupported();
  if (method !== c.req.method) throw wrongMethod(method);

  const { flags, ttlMs, namespace } = asksWith(asksOf({}), headers);
  const trailer = wantsTrailer(headers.get('x-tidegate-trailer') ?? c.env.TIDEGATE_TRAILER);
  const body = await readBody(c.req.raw);
  const { signal } = c.req.raw;
  const { organisation } = caller;
  const { core, deadlineMs, leases } = await keyedGateOf(organisation, c.env);
  headers.set('traceparent', traceOf(c.req.raw));
  const list = flat(headers);
  const asked = core.callFor(partsOf(caller), endpoint, body, list, organisation, flags, ttlMs, namespace, signal);
  const answer = Promise.resolve(asked);
  const after = () => Promise.all([core.follow(), leases ? core.keepSlices() : undefined]).then(ignore, ignore);
  // A client that goes away aborts the attempt; its money is settled after that, while nobody listens.
  c.executionCtx.waitUntil(answer.then(ignore, after));
  // Until a whole answer is there, or a stream begins. From then on a stream has timers of its own.
  const [response, account] = answered(await within(organisation, deadlineMs, answer), signal, ignore, trailer);
  notes.begun();
  const ended = account.then((meta) => notes.ended(meta)).catch((thrown) => notes.failed(thrown));
  c.executionCtx.waitUntil(ended.then(after));
  return response;
}

const ignore = () => {};

function wantsTrailer(asked: string | undefined): boolean {
  if (asked === undefined || asked === '' || asked === '0') return false;
  if (asked === '1') return true;
  throw invalid('x-tidegate-trailer', 'must be 1 or 0');
}
