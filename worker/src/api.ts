import { asksOf, asksWith } from '../../pkg/src/asks';
import type { FlatHeaders } from '../../pkg/src/boundary';
import { toError } from '../../pkg/src/errors';
import { answered } from '../../pkg/src/fetch';
import { common, finished, setEach } from './answers';
import { callerOf, needs, stripped, type Sent, type Stripped } from './auth';
import { hold, readBody } from './body';
import type { Env } from './env';
import { errorResponse, nothingHere, unsupported, wrongMethod } from './errors';
import { gateOf, keyedGateOf, partsOf, within } from './gates';
import { toldOf, type Told } from './log';
import { Notes } from './notes';
import { wantsTrailer } from './trailer';
import { asked, load } from './wasm';

/** The prefixes that clients insist on: OpenAI's and Anthropic's, Gemini's, Groq's, OpenRouter's. */
const API = /^\/(v1|v1beta|openai\/v1|api\/v1)(\/|\?|$)/;

/** What is asked beside headers. */
const NOTHING = asksOf({});

/** Where a request goes, in what its client speaks, by which method it is served; none if it is not. */
type Asked = [endpoint: string, dialect: string, method?: string];

/** A HEAD is answered as a GET; the platform leaves out the body. */
const readAs = (method: string): string => (method === 'HEAD' ? 'GET' : method);

/** What was asked of the Wasm before: the requests of one client differ in neither address nor names of headers. */
const known = new Map<string, Asked>();
const MOST_KNOWN = 200;
const LONGEST_KNOWN = 2_000;

function askedOf(method: string, { headers, path }: Stripped): Asked {
  const names = headers.names();
  const all = `${method} ${path} ${names.join()}`;
  let found = known.get(all);
  if (found) return found;
  found = asked(method, path, names) as Asked;
  if (known.size >= MOST_KNOWN) known.clear();
  if (all.length <= LONGEST_KNOWN) known.set(all, found);
  return found;
}

/**
 * Any request that is not the Worker's own, with its address and headers: the body goes to the gateway as it came, the
 * answer back as it came.
 */
export async function api(
  raw: Request,
  url: string,
  sent: Sent,
  env: Env,
  context: ExecutionContext,
): Promise<Response> {
  load();
  const request = stripped(raw, url, sent);
  const told = toldOf(raw.method, request.headers);
  const [endpoint, dialect, method] = askedOf(readAs(told.method), request);
  const notes = new Notes(told, dialect, env);
  try {
    return await served(raw, env, context, request, told, endpoint, method, notes);
  } catch (failure) {
    const [thrown, rate] = await counted(failure, notes, env);
    const response = errorResponse(dialect, thrown);
    if (response.status === 405 && method) response.headers.set('allow', method);
    setEach(response.headers, rate);
    // Whoever asks for it by the id of its answer finds its line.
    const own = response.headers.get('x-request-id') ?? notes.id;
    context.waitUntil(notes.failed(thrown));
    return finished(response, raw, env, told, dialect, own);
  }
}

/** What the Worker itself refuses to a known caller is a request of theirs, too: the error to tell, and their rate. */
async function counted(thrown: unknown, { caller, handed }: Notes, env: Env): Promise<[unknown, FlatHeaders]> {
  if (!caller || handed) return [thrown, []];
  try {
    return [thrown, await gateOf(caller.organisation, env).core.enter(partsOf(caller), 'other')];
  } catch (refusal) {
    return [toError(refusal).code === 'rate_limited' ? refusal : thrown, []];
  }
}

async function served(
  raw: Request,
  env: Env,
  context: ExecutionContext,
  { given, headers, path }: Stripped,
  told: Told,
  endpoint: string,
  method: string | undefined,
  notes: Notes,
): Promise<Response> {
  if (!API.test(path)) throw nothingHere();
  const caller = await callerOf(raw, given, env);
  notes.caller = caller;
  needs('chat', caller);
  if (!method) throw unsupported();
  if (method !== readAs(told.method)) throw wrongMethod(method);

  const { flags, ttlMs, namespace } = asksWith(NOTHING, headers);
  const trailer = wantsTrailer(headers.get('x-tidegate-trailer'), env);
  const body = await readBody(raw, headers);
  const { signal } = raw;
  const { organisation } = caller;
  const { core, deadlineMs, leases } = await keyedGateOf(organisation, env);
  headers.set('traceparent', told.trace);
  const letGo = hold(body.byteLength, deadlineMs);
  notes.handed = true;
  const asked = core.callFor(
    partsOf(caller),
    endpoint,
    body,
    headers.list.join('\n'),
    organisation,
    flags,
    ttlMs,
    namespace,
    signal,
  );
  const after = () => {
    const left = [core.follow(), leases ? core.keepSlices() : undefined].filter((one) => one !== undefined);
    // Most of the time there is nothing.
    return left.length > 0 ? Promise.all(left).then(ignore, ignore) : undefined;
  };
  let late = false;
  // Once a whole answer is there, or a stream begins. From then on a stream has timers of its own.
  const begun = Promise.resolve(asked).then((answer) => {
    const [response, account] = answered(answer, signal, ignore, trailer, (own) =>
      common(raw, told, env, own || notes.id, notes.dialect),
    );
    notes.begun();
    if (late) void response.body?.cancel();
    const ended = account.then((meta) => notes.ended(meta)).catch((thrown) => notes.failed(thrown));
    return { response, ended };
  });
  // A client that goes away aborts the attempt; its money is settled after that, while nobody listens.
  context.waitUntil(begun.then(({ ended }) => ended).then(after, after));
  try {
    return (await within(organisation, deadlineMs, begun)).response;
  } catch (thrown) {
    late = true;
    throw thrown;
  } finally {
    letGo();
  }
}

const ignore = () => {};
