import { Hono } from 'hono';

import { carriesToken } from './auth';
import { chat } from './chat';
import { cors } from './cors';
import type { Env } from './env';
import { asGatewayError, badConfiguration, errorResponse, invalid, unauthorized, unsupported } from './errors';
import { models, obstacles } from './status';

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

// The gateway's errors are plain objects, which Hono passes by; what reaches onError is a defect.
app.use(async (c, next) => {
  try {
    await next();
  } catch (failure) {
    c.res = errorResponse(asGatewayError(failure));
  }
});
app.onError((failure) => {
  console.error('worker:', failure.name);
  return errorResponse(asGatewayError(failure));
});

app.get('/livez', (c) => c.json({ status: 'live' }));
app.get('/readyz', async (c) => {
  const reasons = await obstacles(c.env);
  return reasons.length === 0 ? c.json({ status: 'ready' }) : c.json({ status: 'not ready', reasons }, 503);
});

app.use('/v1/*', async (c, next) => {
  const token = c.env.TIDEGATE_TOKEN;
  // Without a token nobody is let in, rather than everybody.
  if (!token) throw badConfiguration('TIDEGATE_TOKEN', 'is not set');
  if (!(await carriesToken(c.req.header('authorization'), token))) throw unauthorized();
  await next();
});
app.post('/v1/chat/completions', chat);
app.get('/v1/models', async (c) => c.json(await models(c.env)));

for (const [path, method] of Object.entries({
  '/livez': 'GET',
  '/readyz': 'GET',
  '/v1/models': 'GET',
  '/v1/chat/completions': 'POST',
})) {
  app.all(path, () => {
    const response = errorResponse(invalid(`This endpoint takes ${method}.`, undefined, 405));
    response.headers.set('allow', method);
    return response;
  });
}
app.all('/v1/*', () => errorResponse(unsupported()));
app.notFound(() => errorResponse(invalid('There is nothing at this address.', undefined, 404)));

export default app;
