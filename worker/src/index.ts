import { flat } from '../../pkg/src/flat';
import { finished } from './answers';
import { api } from './api';
import { MAX_HEADER_BYTES, MAX_HEADERS, oversized } from './body';
import { preflight } from './cors';
import type { Env } from './env';
import { errorResponse, invalid } from './errors';
import { blocks } from './routes/admin/blocks';
import { keys } from './routes/admin/keys';
import { organisations } from './routes/admin/organisations';
import { tokens } from './routes/admin/tokens';
import { figures } from './routes/figures';
import { health } from './routes/health';
import { openapi } from './routes/openapi';
import { queue } from './routes/queue';
import { served, type Route } from './routes/route';
import { Router } from './routes/router';
import { session } from './routes/session';
import { status } from './routes/status';
import { load } from './wasm';

export { Figures } from './figures/object';
export { TenantLedger } from './ledger';
export { Directory } from './organisation/directory';
export { Organisation } from './organisation/object';
export { RequestQueue } from './queue/object';

const admin = [...organisations, ...tokens, ...blocks, ...keys];
const routes = [...health, ...status, ...figures, ...session, ...queue, ...admin];
const document: Route = {
  method: 'GET',
  path: '/openapi.json',
  summary: 'This document',
  handle: (c) => c.json(openapi(routes)),
};
/** What is not of these is for the gateway. */
const router = new Router([...routes, document]);

export default {
  async fetch(request: Request, env: Env, context: ExecutionContext): Promise<Response> {
    if (request.method === 'OPTIONS') return preflight(request, env);
    const { url } = request;
    const headers = flat(request.headers);
    if (oversized(url, headers)) {
      load();
      const problem = `must not be longer than ${MAX_HEADER_BYTES} bytes, nor more than ${MAX_HEADERS}`;
      return finished(errorResponse('chat', invalid('headers', problem, 431)), request, env);
    }
    const found = router.find(url);
    return found ? served(found, request, url, headers, env) : api(request, url, headers, env, context);
  },
};
