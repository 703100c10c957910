import { Hono } from 'hono';

import { api } from './api';
import { cors } from './cors';
import type { Env } from './env';
import { errorResponse, wrongMethod } from './errors';
import { obstacles } from './status';
import { load } from './wasm';

export { TenantLedger } from './ledger';

const app = new Hono<{ Bindings: Env }>();

app.use(cors);
app.use(async (c, next) => {
  await next();
  const { headers } = c.res;
  headers.set('cache-control', 'no-store');
  headers.set('x-content-type-options', 'nosniff');
  if (!headers.has('x-request-id')) headers.set('x-request-id', `tg-${crypto.randomUUID()}`);
});

// Every route answers its own errors; what reaches this is a defect.
app.onError((failure) => {
  console.error('worker:', failure.name);
  load();
  return errorResponse('chat', failure);
});

app.get('/livez', (c) => c.json({ status: 'live' }));
app.get('/readyz', async (c) => {
  const reasons = await obstacles(c.env);
  return reasons.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503);
});
for (const path of ['/livez', '/readyz']) {
  app.all(path, () => {
    load();
    const response = errorResponse('chat', wrongMethod('GET'));
    response.headers.set('allow', 'GET');
    return response;
  });
}
app.all('*', api);

export default app;
