import { Hono } from 'hono';

import { api } from './api';
import { MAX_HEADER_BYTES, MAX_HEADERS, oversized } from './body';
import { cors } from './cors';
import type { Env } from './env';
import { errorResponse, invalid } from './errors';
import { givenId, traceOf } from './log';
import { blocks } from './routes/admin/blocks';
import { keys } from './routes/admin/keys';
import { organisations } from './routes/admin/organisations';
import { tokens } from './routes/admin/tokens';
import { figures } from './routes/figures';
import { health } from './routes/health';
import { openapi } from './routes/openapi';
import { queue } from './routes/queue';
import { register } from './routes/route';
import { session } from './routes/session';
import { status } from './routes/status';
import { load } from './wasm';

export { Figures } from './figures/object';
export { TenantLedger } from './ledger';
export { Directory } from './organisation/directory';
export { Organisation } from './organisation/object';
export { RequestQueue } from './queue/object';

const app = new Hono<{ Bindings: Env }>();

app.use(cors);
app.use(async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('cache-control', 'no-store');
  headers.set('x-content-type-options', 'nosniff');
  const own = headers.get('x-request-id') ?? `tg-${crypto.randomUUID()}`;
  const given = givenId(c.req.raw.headers);
  // The caller finds its request by its own id, and we by ours.
  headers.set('x-request-id', given ?? own);
  headers.set('x-tidegate-request-id', own);
  headers.set('traceparent', traceOf(c.req.raw));
});

app.use(async (c, next) => {
  if (!oversized(c.req.raw)) return next();
  load();
  c.res = errorResponse(
    'chat',
    invalid('headers', `must not be longer than ${MAX_HEADER_BYTES} bytes, nor more than ${MAX_HEADERS}`, 431),
  );
});
// Every route answers its own errors; what reaches this is a defect.
app.onError((failure) => {
  console.error('worker:', failure.name);
  load();
  return errorResponse('chat', failure);
});

const admin = [...organisations, ...tokens, ...blocks, ...keys];
const routes = [...health, ...status, ...figures, ...session, ...queue, ...admin];
register(app, routes);
register(app, [
  {
    method: 'GET',
    path: '/openapi.json',
    summary: 'This document',
    handle: (c) => c.json(openapi(routes)),
  },
]);
app.all('*', api);

export default app;
