import { asksOf, asksWith } from '../../pkg/src/asks';
import { answered } from '../../pkg/src/fetch';
import { common, finished } from './answers';
import { callerOf, stripped, type Stripped } from './auth';
import { readBody } from './body';
import type { Env } from './env';
import { errorResponse, invalid, nothingHere, unsupported, wrongMethod } from './errors';
import { keyedGateOf, partsOf, within } from './gates';
import { traceOf } from './log';
import { Notes } from './notes';
import { asked, load } from './wasm';

/** The prefixes that clients insist on: OpenAI's and Anthropic's, Gemini's, Groq's, OpenRouter's. */
const API = /^\/(v1|v1beta|openai\/v1|api\/v1)(\/|\?|$)/;

/** Any request that is not the Worker's own: the body goes to the gateway as it came, the answer back as it came. */
export async function api(raw: Request, env: Env, context: ExecutionContext): Promise<Response> {
  load();
  const request = stripped(raw);
  const [endpoint, dialect, method] = asked(raw.method, request.path, request.headers.names()) as [
    string,
    string,
    string?,
  ];
  const notes = new Notes(raw, dialect, env);
  try {
    return await served(raw, env, context, request, endpoint, method, notes);
  } catch (thrown) {
    context.waitUntil(notes.failed(thrown));
    const response = errorResponse(dialect, thrown);
    if (response.status === 405 && method) response.headers.set('allow', method);
    return finished(response, raw, env);
  }
}

async function served(
  raw: Request,
  env: Env,
  context: ExecutionContext,
  { given, headers, path }: Stripped,
  endpoint: string,
  method: string | undefined,
  notes: Notes,
): Promise<Response> {
  if (!API.test(path)) throw nothingHere();
  const caller = await callerOf(raw, given, env, 'chat');
  notes.caller = caller;
  if (!method) throw unsupported();
  if (method !== raw.method) throw wrongMethod(method);

  const { flags, ttlMs, namespace } = asksWith(asksOf({}), headers);
  const trailer = wantsTrailer(headers.get('x-tidegate-trailer') ?? env.TIDEGATE_TRAILER);
  const body = await readBody(raw);
  const { signal } = raw;
  const { organisation } = caller;
  const { core, deadlineMs, leases } = await keyedGateOf(organisation, env);
  headers.set('traceparent', traceOf(raw));
  const asked = core.callFor(
    partsOf(caller),
    endpoint,
    body,
    headers.list,
    organisation,
    flags,
    ttlMs,
    namespace,
    signal,
  );
  const answer = Promise.resolve(asked);
  const after = () => Promise.all([core.follow(), leases ? core.keepSlices() : undefined]).then(ignore, ignore);
  // A client that goes away aborts the attempt; its money is settled after that, while nobody listens.
  context.waitUntil(answer.then(ignore, after));
  // Until a whole answer is there, or a stream begins. From then on a stream has timers of its own.
  const [response, account] = answered(await within(organisation, deadlineMs, answer), signal, ignore, trailer, (own) =>
    common(raw, env, own || undefined),
  );
  notes.begun();
  const ended = account.then((meta) => notes.ended(meta)).catch((thrown) => notes.failed(thrown));
  context.waitUntil(ended.then(after));
  return response;
}

const ignore = () => {};

function wantsTrailer(asked: string | undefined): boolean {
  if (asked === undefined || asked === '' || asked === '0') return false;
  if (asked === '1') return true;
  throw invalid('x-tidegate-trailer', 'must be 1 or 0');
}
