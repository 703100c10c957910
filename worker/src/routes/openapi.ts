import type { Route, Schema } from './route';
import { oneOf, TEXT } from './schemas';

/** The endpoints of the model clients, which the gateway itself serves: what each takes is its provider's to say. */
export const SERVED: readonly (readonly [
  method: string,
  path: string,
  summary: string,
  query?: Record<string, Schema>,
])[] = [
  ['POST', '/v1/chat/completions', 'A chat completion, in OpenAI’s words'],
  ['POST', '/v1/responses', 'A response, in OpenAI’s words'],
  ['POST', '/v1/embeddings', 'Vectors, in OpenAI’s words'],
  ['GET', '/v1/models', 'The models that the targets offer'],
  ['GET', '/v1/models/{model}', 'One of them'],
  ['POST', '/v1/messages', 'A message, in Anthropic’s words'],
  ['POST', '/v1beta/models/{model}:generateContent', 'An answer, in Gemini’s words'],
  ['POST', '/v1beta/models/{model}:streamGenerateContent', 'The same as server-sent events', { alt: oneOf('sse') }],
  ['POST', '/v1beta/models/{model}:embedContent', 'A vector, in Gemini’s words'],
  ['POST', '/v1beta/models/{model}:batchEmbedContents', 'Several of them'],
  ['GET', '/v1beta/models', 'The models, in Gemini’s words'],
  ['GET', '/v1beta/models/{model}', 'One of them, in Gemini’s words'],
];

/** What a gateway may answer with beside a 200: its providers' failures are among them. */
const GATEWAY = [400, 401, 402, 403, 404, 405, 408, 413, 415, 422, 429, 431, 499, 500, 501, 502, 503, 504];
/** The same of the Worker's own routes, by what they read. */
const ALWAYS = [405, 431, 500];
/** Another organisation may be named to each, and a JWT's issuer may be out of reach. */
const SCOPED = [400, 401, 403, 429, 503];
const READING = [400, 404];
const TAKING = [413, 415];

const error = { $ref: '#/components/schemas/Error' };

const JSON_TYPE = 'application/json';
const EVENTS = 'text/event-stream';

function responses(statuses: readonly number[], types: string[], good: object = {}): Schema {
  const each = [...new Set(statuses)]
    .sort((one, other) => one - other)
    .map((status) => {
      const isGood = status < 300;
      const content = isGood
        ? Object.fromEntries(types.map((type) => [type, { schema: {} }]))
        : { [JSON_TYPE]: { schema: status === 503 ? {} : error } };
      const description = isGood ? 'Done' : 'Refused or failed, with a code';
      const headers = named({ ...HEADERS, ...TOLD, ...TOLD_WITH[status], ...(isGood && good) });
      return [status, { description, headers, content }] as const;
    });
  return Object.fromEntries(each);
}

/** What every request may carry, and every answer does. */
const HEADERS = {
  'x-request-id':
    'An id of the caller’s own for the request, 8 to 128 of A-Z a-z 0-9 _ . : - ; another is made up for it',
  traceparent: 'The trace that it is part of (W3C Trace Context); it is passed on to the provider',
};
const inHeaders = Object.keys(HEADERS).map((name) => ({ $ref: `#/components/parameters/${name}` }));

/** What answers say beside that: of every status, of some, and of requests to models. */
const TOLD = { 'x-tidegate-request-id': 'The gateway’s own id of the request' };
const TOLD_WITH: Record<number, Record<string, string>> = {
  401: { 'www-authenticate': 'Bearer' },
  405: { allow: 'The methods that the path takes' },
  429: { 'retry-after': 'Whole seconds until another try can succeed, if that is known' },
  503: { 'retry-after': 'Whole seconds until another try can succeed, if that is known' },
};
const TOLD_OF_MODELS = {
  'x-tidegate-target': 'Which provider and model answered, in the form provider/model',
  'x-tidegate-attempts': 'How many exchanges with providers it took',
  'x-tidegate-cache': 'hit, miss, bypass or joined',
  'x-tidegate-cost-nano-usd': 'What was charged, in billionths of a dollar; not at the beginning of a stream',
  'x-tidegate-reserved-nano-usd': 'What a stream may cost at most, at its beginning',
};
const ANSWERS = {
  ...{ ...HEADERS, ...TOLD, ...TOLD_OF_MODELS },
  ...Object.fromEntries(Object.values(TOLD_WITH).flatMap((each) => Object.entries(each))),
};
const named = (names: object) =>
  Object.fromEntries(Object.keys(names).map((name) => [name, { $ref: `#/components/headers/${name}` }]));

/** What a request to a model may ask of the gateway. */
const ASKING: Record<string, Schema> = {
  'x-tidegate-cache': { type: 'string', description: 'Any of skip, no-store, refresh; separated by commas' },
  'x-tidegate-cache-ttl-ms': { type: 'string', pattern: '^[0-9]+$' },
  'x-tidegate-namespace': TEXT,
  'x-tidegate-trailer': oneOf('0', '1'),
};

const parameter =
  (place: 'path' | 'query' | 'header', required = place === 'path') =>
  ([name, schema]: [string, Schema]) => ({
    ...{ name, in: place, required, schema },
  });

const asking = Object.entries(ASKING).map(parameter('header'));

/** What is answered as events if the body or the path says so. */
const STREAMS = /(completions|responses|messages|stream\w+)$/;

/** What the Worker's own routes answer in. */
function typesOf({ method, path }: Route): string[] {
  if (path === '/metrics') return ['text/plain'];
  return method === 'GET' && path === '/api/ai/queue' ? [JSON_TYPE, EVENTS] : [JSON_TYPE];
}

function operation(route: Route): Schema {
  const inPath = [...route.path.matchAll(/:(\w+)/g)].map(([, name = '']) => [name, TEXT] as [string, Schema]);
  const query = Object.entries(route.query ?? {});
  const reads = route.body !== undefined || inPath.length > 0 || query.length > 0;
  const statuses = [
    ...(route.statuses?.includes(201) ? [] : [200]),
    ...(route.statuses ?? []),
    ...ALWAYS,
    ...(route.scope === undefined ? [] : SCOPED),
    ...(reads ? READING : []),
    ...(route.body ? TAKING : []),
  ];
  return {
    summary: route.summary,
    parameters: [
      ...[...inPath.map(parameter('path')), ...query.map(parameter('query'))],
      ...[...Object.entries(route.headers ?? {}).map(parameter('header')), ...inHeaders],
    ],
    ...(route.body && {
      requestBody: { required: !route.bodyMayMiss, content: { [JSON_TYPE]: { schema: route.body } } },
    }),
    responses: responses(statuses, typesOf(route)),
    // Without a scope anybody may.
    security: route.scope === undefined ? [] : [{ token: [] }],
  };
}

/** The OpenAPI document, made from the routes themselves. */
export function openapi(routes: readonly Route[]): Schema {
  const paths: Record<string, Record<string, Schema>> = {};
  const put = (path: string, method: string, what: Schema) => {
    paths[path] = { ...paths[path], [method.toLowerCase()]: what };
  };
  for (const route of routes) put(route.path.replace(/:(\w+)/g, '{$1}'), route.method, operation(route));
  for (const [method, path, summary, query = {}] of SERVED) {
    const model = path.includes('{model}') ? [parameter('path')(['model', TEXT])] : [];
    const asked = Object.entries(query).map(parameter('query', true));
    const body = { required: true, content: { [JSON_TYPE]: { schema: { type: 'object' } } } };
    put(path, method, {
      ...{
        summary,
        parameters: [...model, ...asked, ...(method === 'POST' ? asking : []), ...inHeaders],
        security: [{ token: [] }],
        responses: responses(
          [200, ...GATEWAY],
          [...(query.alt ? [] : [JSON_TYPE]), ...(STREAMS.test(path) ? [EVENTS] : [])],
          method === 'POST' ? TOLD_OF_MODELS : {},
        ),
      },
      ...(method === 'POST' && { requestBody: body }),
    });
  }
  return {
    openapi: '3.1.0',
    info: { title: 'Tidegate', version: '0.1.0', description: 'A gateway to language models.' },
    paths,
    components: {
      parameters: Object.fromEntries(
        Object.entries(HEADERS).map(([name, description]) => [
          name,
          { name, in: 'header', required: false, description, schema: TEXT },
        ]),
      ),
      headers: Object.fromEntries(
        Object.entries(ANSWERS).map(([name, description]) => [name, { description, schema: TEXT }]),
      ),
      securitySchemes: { token: { type: 'http', scheme: 'bearer' } },
      schemas: {
        Error: {
          type: 'object',
          description: 'Of the Worker’s own routes, and of those in OpenAI’s words; others answer in their own.',
          properties: { error: { type: 'object' } },
          required: ['error'],
        },
      },
    },
  };
}
