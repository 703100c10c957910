import { expect, it } from 'vitest';

import type { Route } from '../../src/routes/route';
import { Ours, Plain, Router } from '../../src/routes/router';
import { Sent } from '../../src/auth/stripped';

const route = (method: Route['method'], path: string): Route => ({
  ...{ method, path, summary: '', handle: () => new Plain('') },
});
const router = new Router([
  ...[route('GET', '/api/things'), route('POST', '/api/things')],
  ...[route('PUT', '/api/things/:thing'), route('GET', '/api/things/:thing/parts/:part')],
]);
const find = (path: string) => router.find(`https://gate.example${path}`);

it('finds routes by their whole path, whatever is asked behind it', () => {
  for (const path of ['/api/things', '/api/things?', '/api/things?a=/b'])
    expect([...(find(path)?.routes.keys() ?? [])], path).toEqual(['GET', 'POST']);
  expect(find('/api/things/a?b')?.params).toEqual({ thing: 'a' });
  expect(find('/api/things/a%2Fb%20c/parts/%zz')?.params).toEqual({ thing: 'a/b c', part: '%zz' });
  const none = ['', '/', '/api', '/api/things/', '/api/thingsx', '/x/api/things', '/API/things', '/api/things/a/b'];
  for (const path of none) expect(find(path), path).toBeUndefined();
  expect(router.find('https://gate.example')).toBeUndefined();
});

it('reads a query as browsers write it', () => {
  const url = 'https://gate.example/x?a=1&a=2&b=&c=x+y%20z&d=%zz';
  const { req } = new Ours(new Request(url), url, new Sent(['accept', '*/*']), {}, {} as never);
  expect(['a', 'b', 'c', 'd', 'e'].map((name) => req.query(name))).toEqual(['1', '', 'x y z', '%zz', undefined]);
  expect([req.header('accept'), req.header('cookie'), req.param('x')]).toEqual(['*/*', undefined, '']);
});
