// Headers as the boundary takes them: names and values in turn.

import type { FlatHeaders } from './boundary.js';

export function flat(headers: Headers): FlatHeaders {
  const list: FlatHeaders = [];
  headers.forEach((value, name) => list.push(name, value));
  return list;
}

export function headersOf(list: FlatHeaders): Headers {
  const headers = new Headers();
  for (let at = 1; at < list.length; at += 2) headers.append(list[at - 1] ?? '', list[at] ?? '');
  return headers;
}

/** The same of ours, none of which comes twice, as `Response` takes them: each call of a platform's `Headers` costs. */
export function recordOf(list: FlatHeaders): Record<string, string> {
  const headers: Record<string, string> = {};
  for (let at = 1; at < list.length; at += 2) headers[list[at - 1] ?? ''] = list[at] ?? '';
  return headers;
}
