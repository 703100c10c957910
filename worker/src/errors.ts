/** The gateway's error object, as it crosses the boundary. */
export interface GatewayError {
  code: string;
  message: string;
  /** What this Worker answers. */
  status: number;
  shouldRetry: boolean;
  provider?: string;
  attempt?: number;
  retryAfterMs?: number;
  fields?: { path: string; problem: string }[];
  budget?: { limitNanoUsd: number; spentNanoUsd: number; reservedNanoUsd: number; resetsAt: number };
  upstreamStatus?: number;
  timeout?: string;
  network?: string;
  attempts: { attempt: number; target: string; code: string; status?: number }[];
}

/** Plain objects, as the gateway throws them: one kind of error to answer. */
function refusal(code: string, status: number, message: string, fields?: GatewayError['fields']): GatewayError {
  return { code, message, status, shouldRetry: false, fields, attempts: [] };
}

/** What the Worker refuses before the gateway is asked. `path` is the header at fault, if it is one. */
export const invalid = (message: string, path?: string, status = 400) =>
  refusal('invalid_request', status, message, path === undefined ? undefined : [{ path, problem: message }]);
export const unauthorized = () => refusal('unauthorized', 401, 'The caller is not known: send a valid bearer token.');
export const badConfiguration = (path: string, problem: string) =>
  refusal('config_invalid', 500, 'The configuration is not valid.', [{ path, problem }]);
export const unsupported = () => refusal('unsupported_endpoint', 501, 'This endpoint or option is not supported.');
export const internal = () => refusal('internal', 500, 'The gateway or its storage failed.');

/** Whatever was thrown, as the gateway's error object; what is not one says nothing about itself. */
export function asGatewayError(thrown: unknown): GatewayError {
  const known = typeof thrown === 'object' && thrown !== null && 'code' in thrown && 'attempts' in thrown;
  return known ? (thrown as GatewayError) : internal();
}

/** The fields of an error in one line. */
export function reasonOf(thrown: unknown): string {
  const { message, fields } = asGatewayError(thrown);
  return fields?.map(({ path, problem }) => (path ? `${path} ${problem}` : problem)).join('; ') ?? message;
}

function typeOf(status: number): string {
  if (status === 401) return 'authentication_error';
  if (status === 402) return 'insufficient_quota';
  if (status === 403) return 'permission_error';
  if (status === 429) return 'rate_limit_error';
  return status < 500 || status === 501 ? 'invalid_request_error' : 'server_error';
}

/** An error as OpenAI's clients expect it, with the gateway's own account beside it. */
export function errorResponse(error: GatewayError): Response {
  const { code, message, status, shouldRetry, fields, ...account } = error;
  const first = fields?.[0];
  const headers = new Headers({ 'content-type': 'application/json', 'x-should-retry': String(shouldRetry) });
  if (account.retryAfterMs !== undefined) {
    // Whole seconds, rounded up: who comes back too early is refused again.
    headers.set('retry-after', String(Math.max(1, Math.ceil(account.retryAfterMs / 1000))));
    headers.set('retry-after-ms', String(Math.ceil(account.retryAfterMs)));
  }
  if (status === 401) headers.set('www-authenticate', 'Bearer');
  const body = {
    error: {
      message: first && first.problem !== message ? `${message} ${reasonOf(error)}` : message,
      type: typeOf(status),
      code,
      param: first?.path || null,
      tidegate: { ...account, fields },
    },
  };
  return new Response(JSON.stringify(body), { status, headers });
}
