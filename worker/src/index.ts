import { Hono } from 'hono';

import { api } from './api';
import { cors } from './cors';
import type { Env } from './env';
import { errorResponse } from './errors';
import { blocks } from './routes/admin/blocks';
import { organisations } from './routes/admin/organisations';
import { tokens } from './routes/admin/tokens';
import { health } from './routes/health';
import { register } from './routes/route';
import { session } from './routes/session';
import { load } from './wasm';

export { TenantLedger } from './ledger';
export { Directory } from './organisation/directory';
export { Organisation } from './organisation/object';

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

register(app, health);
register(app, session);
register(app, organisations);
register(app, tokens);
register(app, blocks);
app.all('*', api);

export default app;
