import { invalid, TidegateError, toError, type ErrorData } from '../../pkg/src/errors';
import { refused } from '../../pkg/src/fetch';
import { failure } from './wasm';

/** What the Worker refuses before the gateway is asked. */
function refusal(code: string, status: number, message: string, fields?: ErrorData['fields']): TidegateError {
  return new TidegateError({ code, message, status, shouldRetry: false, ...(fields && { fields }), attempts: [] });
}

export const unauthorized = () =>
  refusal(
    'unauthorized',
    401,
    'The caller is not known: send the gateway’s token as a bearer token or as your API key.',
  );
export const forbiddenAs = (message: string) => refusal('forbidden', 403, message);
export const forbidden = (scope: string) => forbiddenAs(`This needs a token with the scope ${scope}.`);
export const blocked = (ms: number) =>
  Object.assign(forbiddenAs('This caller is blocked.'), { retryAfterMs: Math.max(0, ms) });
export const badFields = (fields: NonNullable<ErrorData['fields']>) =>
  refusal('config_invalid', 500, 'The configuration is not valid.', fields);
export const badConfiguration = (path: string, problem: string) => badFields([{ path, problem }]);
export const unsupported = () =>
  refusal(
    'unsupported_endpoint',
    501,
    'This endpoint is not one that the gateway serves: ask the provider for it directly.',
  );
export const tooMany = (what: string) => refusal('invalid_request', 409, `There are too many ${what} already.`);
export const nothingHere = () =>
  refusal('invalid_request', 404, 'There is nothing at this address: /openapi.json lists what there is.');
export const wrongMethod = (method: string) => refusal('invalid_request', 405, `This endpoint takes ${method}.`);
/** Nobody can tell whether the caller may come in. */
export const unreachable = (who: string) =>
  Object.assign(refusal('internal', 503, `${who} cannot be asked at the moment.`), { retryAfterMs: 5_000 });
export const limited = (ms: number) =>
  Object.assign(refusal('rate_limited', 429, 'There were too many of these today.'), { retryAfterMs: ms });
/** More than an isolate's memory or an object has room for. */
export const crowded = (message = 'Too many large requests are worked on at the moment.') =>
  Object.assign(refusal('queue_full', 503, message), { retryAfterMs: 1_000 });
/** Whether an object went away, as all do in a deploy: the platform says that it may be asked again. */
export const isGone = (failure: unknown): boolean => {
  const { retryable, overloaded } = Object(failure) as { retryable?: unknown; overloaded?: unknown };
  return retryable === true && overloaded !== true;
};
const restarting = () =>
  Object.assign(
    refusal('internal', 503, 'The gateway is being updated or restarted: it is not known whether this was done.'),
    { retryAfterMs: 5_000 },
  );
/** Whether the platform lets the request that is running ask no more objects. */
export const isPlanLimit = (failure: unknown): boolean =>
  failure instanceof Error && /too many subrequests/i.test(failure.message);
/**
 * The same failure, or a refusal that says so where the platform lets one request ask no more objects: how many, is the
 * plan's to say.
 */
export const reached = (failure: unknown): unknown =>
  isPlanLimit(failure)
    ? refusal('internal', 500, 'The plan of this Worker lets one request ask fewer objects than the queue has shards.')
    : failure;
export const internal = () => refusal('internal', 500, 'The gateway or its storage failed.');
export { invalid };

/** The fields of an error in one line. */
export function reasonOf(thrown: unknown): string {
  const { message, fields } = toError(thrown);
  return fields?.map(({ path, problem }) => (path ? `${path} ${problem}` : problem)).join('; ') ?? message;
}

/** Whatever was thrown, as the clients of a dialect can read it. What is no error of ours says nothing about itself. */
export function errorResponse(dialect: string, thrown: unknown): Response {
  return refused({ failure }, dialect, isGone(thrown) ? restarting() : thrown);
}
