import type { Env } from '../env';
import type { Sent } from '../auth/stripped';
import type { Route } from './route';

/** What is asked of a route of the Worker's own. */
class Question {
  #query: URLSearchParams | undefined;

  constructor(
    readonly raw: Request,
    readonly url: string,
    /** What was sent, without tokens. */
    readonly headers: Sent,
    private readonly params: Record<string, string>,
  ) {}

  get method(): string {
    return this.raw.method;
  }

  /** The first value of this name. */
  query(name: string): string | undefined {
    const at = this.url.indexOf('?');
    if (at < 0) return undefined;
    this.#query ??= new URLSearchParams(this.url.slice(at));
    return this.#query.get(name) ?? undefined;
  }

  header(name: string): string | undefined {
    return this.headers.get(name) ?? undefined;
  }

  /** What stands in the path for `:name`. */
  param(name: string): string {
    return this.params[name] ?? '';
  }
}

/** An answer that is to be written: all of its headers at once, since each call of the platform's `Headers` costs. */
export class Plain {
  constructor(
    readonly text: string,
    readonly status = 200,
    readonly type = 'application/json',
  ) {}
}

/** What a route is given. */
export class Ours {
  readonly req: Question;

  constructor(
    raw: Request,
    url: string,
    headers: Sent,
    params: Record<string, string>,
    readonly env: Env,
  ) {
    this.req = new Question(raw, url, headers, params);
  }

  json(value: unknown, status?: number): Plain {
    return new Plain(JSON.stringify(value), status);
  }
}

/** The routes of one path by method, and what stands in it. */
export interface Found {
  routes: ReadonlyMap<string, Route>;
  params: Record<string, string>;
}

/** Finds routes by the path of an address. */
export class Router {
  readonly #fixed = new Map<string, Map<string, Route>>();
  readonly #open: { pattern: RegExp; routes: Map<string, Route> }[] = [];

  constructor(all: readonly Route[]) {
    for (const path of new Set(all.map((route) => route.path))) {
      const routes = new Map(all.filter((route) => route.path === path).map((route) => [route.method, route] as const));
      if (!path.includes(':')) this.#fixed.set(path, routes);
      else this.#open.push({ pattern: new RegExp(`^${path.replace(/:(\w+)/g, '(?<$1>[^/]+)')}$`), routes });
    }
  }

  find(url: string): Found | undefined {
    // Past `https://`.
    const [path = ''] = url.slice(url.indexOf('/', 8)).split('?', 1);
    const routes = this.#fixed.get(path);
    if (routes) return { routes, params: {} };
    for (const { pattern, routes } of this.#open) {
      const found = pattern.exec(path);
      if (found) return { routes, params: decoded(found.groups ?? {}) };
    }
    return undefined;
  }
}

function decoded(groups: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(groups).map(([name, text]) => {
      try {
        return [name, decodeURIComponent(text)];
      } catch {
        // Whoever reads it says what is wrong with it.
        return [name, text];
      }
    }),
  );
}
