import { Hono } from 'hono';

import { flat } from '../../pkg/src/flat';
import { finished } from './answers';
import { api } from './api';
import { Sent } from './auth';
import { MAX_HEADER_BYTES, MAX_HEADERS, oversized } from './body';
import { preflight } from './cors';
import type { Env } from './env';
import { errorResponse, invalid } from './errors';
import { loggedRoute, toldOf } from './log';
import { blocks } from './routes/admin/blocks';
import { keys } from './routes/admin/keys';
import { organisations } from './routes/admin/organisations';
import { resealing } from './routes/admin/reseal';
import { tokens } from './routes/admin/tokens';
import { figures } from './routes/figures';
import { health } from './routes/health';
import { openapi } from './routes/openapi';
import { queue } from './routes/queue';
import { register, Visit, type Route } from './routes/route';
import { session } from './routes/session';
import { status } from './routes/status';
import { came } from './shelf';
import { load } from './wasm';

export { Figures } from './figures/object';
export { TenantLedger } from './ledger';
export { Directory } from './organisation/directory';
export { Organisation } from './organisation/object';
export { RequestQueue } from './queue/object';

const app = new Hono<{ Bindings: Env }>();
// Every route answers its own errors; what reaches this is a defect.
app.onError((failure) => {
  console.error('worker:', failure.name);
  load();
  return errorResponse('chat', failure);
});

const admin = [...organisations, ...resealing, ...tokens, ...blocks, ...keys];
const routes = [...health, ...status, ...figures, ...session, ...queue, ...admin];
const document: Route = {
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  handle: (c) => c.json(openapi(routes)),
};
register(app, [...routes, document]);

/** The addresses of the routes above. All others are for the gateway, without the way through the router. */
const OWN = new RegExp(
  `^https?://[^/]*(?:${[...routes, document].map(({ path }) => path.replaceAll('.', '\\.').replace(/:\w+/g, '[^/?]+')).join('|')})(?:\\?|$)`,
);

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    if (request.method === 'OPTIONS') return preflight(request, env);
    const { url } = request;
    came(url);
    const headers = flat(request.headers);
    if (oversized(url, headers)) {
      load();
      const problem = `must not be longer than ${MAX_HEADER_BYTES} bytes, nor more than ${MAX_HEADERS}`;
      return finished(errorResponse('chat', invalid('headers', problem, 431)), request, env);
    }
    const sent = new Sent(headers);
    if (!OWN.test(url)) return api(request, url, sent, env, context);
    const [told, visit, started] = [toldOf(request.method, sent), new Visit(sent, url), Date.now()];
    const response = finished(await app.fetch(request, env, visit), request, env, told);
    const { note } = visit;
    if (note) context.waitUntil(loggedRoute(told, note, response, Date.now() - started, env));
    return response;
  },
};
