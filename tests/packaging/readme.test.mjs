// Every JavaScript example of the README, pasted into a file of a project that has the packed package, and run.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { test } from 'node:test';

import { BIN, output, project, ROOT } from './support.mjs';

const README = readFileSync(join(ROOT, 'README.md'), 'utf8');
const EXAMPLES = [...README.matchAll(/^```js\n(.*?)^```$/gmsu)].map(([, code]) => code);

/** Of configurations, and what they are opened with. */
const CONFIGURATIONS = [...README.matchAll(/^```ts\n(await Tidegate\.open\(.*?)^```$/gmsu)].map(([, code]) => code);

/** All that is written in either language: what is pasted into a project of a strict TypeScript has to compile there. */
const TYPED = [...README.matchAll(/^```(?:js|tsx?)\n(.*?)^```$/gmsu)].map(([, code]) => code);
/** As `npm create vite` writes it for React and TypeScript, with what else people turn on. */
const STRICT = {
  compilerOptions: {
    ...{ target: 'ES2023', lib: ['ES2023', 'DOM', 'DOM.Iterable'], module: 'ESNext', moduleResolution: 'bundler' },
    ...{
      strict: true,
      noEmit: true,
      types: [],
      verbatimModuleSyntax: true,
      erasableSyntaxOnly: true,
      moduleDetection: 'force',
    },
    ...{
      noFallthroughCasesInSwitch: true,
      noUncheckedSideEffectImports: true,
      exactOptionalPropertyTypes: true,
      noUncheckedIndexedAccess: true,
    },
  },
};

const ANSWER = 'Because the air scatters blue light most.';
const USAGE = { prompt_tokens: 12, completion_tokens: 9, total_tokens: 21 };

/** Answers chat completions, whole and streamed, with the same words; remembers who was asked with which key. */
async function standIn(t) {
  const asked = [];
  const server = createServer(async (request, response) => {
    const { stream, model } = JSON.parse(Buffer.concat(await Array.fromAsync(request)));
    asked.push({ provider: request.url.slice(1), authorization: request.headers.authorization });
    const head = { id: 'one', created: 1, model };
    if (!stream) {
      response.setHeader('content-type', 'application/json');
      const choice = { index: 0, message: { role: 'assistant', content: ANSWER }, finish_reason: 'stop' };
      response.end(JSON.stringify({ ...head, object: 'chat.completion', choices: [choice], usage: USAGE }));
      return;
    }
    response.setHeader('content-type', 'text/event-stream');
    const event = (fields) =>
      response.write(`data: ${JSON.stringify({ ...head, object: 'chat.completion.chunk', ...fields })}\n\n`);
    for (const content of ANSWER.split(/(?<= )/u)) event({ choices: [{ index: 0, delta: { content } }] });
    event({ choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] });
    event({ choices: [], usage: USAGE });
    response.end('data: [DONE]\n\n');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { asked, url: `http://127.0.0.1:${server.address().port}` };
}

/** What the example printed, and what reached the provider. */
async function pasted(t, code) {
  const { asked, url } = await standIn(t);
  const cwd = await project(t, 'readme');
  symlinkSync(join(ROOT, 'node_modules', 'openai'), join(cwd, 'node_modules', 'openai'));
  writeFileSync(join(cwd, 'example.mjs'), code);
  const args = ['--import', './preload.mjs', 'example.mjs'];
  return { asked, printed: await output(process.execPath, args, { cwd, env: { ...process.env, STAND_IN: url } }) };
}

test('the README has examples', () => {
  assert.ok(EXAMPLES.length >= 3);
  assert.equal(CONFIGURATIONS.length, 1);
});

test('each compiles in strict TypeScript', async (t) => {
  const cwd = await project(t, 'readme');
  for (const name of ['openai', 'vite']) symlinkSync(join(ROOT, 'node_modules', name), join(cwd, 'node_modules', name));
  writeFileSync(join(cwd, 'tsconfig.json'), JSON.stringify({ ...STRICT, include: ['example-*.ts'] }));
  assert.ok(TYPED.length > EXAMPLES.length + CONFIGURATIONS.length);
  for (const [place, code] of TYPED.entries()) {
    const imported = /^await Tidegate/.test(code) ? "import { Tidegate } from 'tidegate';\n" : '';
    writeFileSync(join(cwd, `example-${place}.ts`), imported + code);
  }
  await output(join(BIN, 'tsc'), [], { cwd });
});

for (const [place, code] of EXAMPLES.entries()) {
  const [name] = /^(?:const answer|const stream) = .*$/mu.exec(code) ?? [`number ${place}`];
  test(`the example with ${name.slice(0, 60)}`, async (t) => {
    const { asked, printed } = await pasted(t, code);
    const streamed = printed.replaceAll(/undefined|\n/gu, '');
    assert.ok(printed.includes(ANSWER) || streamed.includes(ANSWER), printed);
    assert.equal(asked.length, 1, 'one request');
    assert.match(asked[0].authorization, /^Bearer (gsk_|sk-proj-)/u, 'with the key that the person gave');
    assert.ok(!printed.includes(asked[0].authorization.slice(7)), 'which is not printed');
  });
}

for (const code of CONFIGURATIONS) {
  test(`a gate opens with the configuration of ${/targets: .*$/mu.exec(code)?.[0].slice(0, 60)}`, async (t) => {
    const status = 'console.log(JSON.stringify((await gate.status()).targets.map(({ target }) => target)));';
    const { asked, printed } = await pasted(
      t,
      `import { Tidegate } from 'tidegate';\n${code.replace('await Tidegate', 'const gate = await Tidegate')}${status}`,
    );
    assert.equal(JSON.parse(printed).length, 1);
    assert.equal(asked.length, 0);
  });
}
