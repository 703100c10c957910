// A person's steps on the vault's page, and the demo that they are taken in.

import assert from 'node:assert/strict';
import { after, before } from 'node:test';

import { launchBrowser, openApp, startDemo } from './support.mjs';

/** Has the demo and Chromium for all tests of a suite. Passkeys are bound to names: an IP address has none. */
export function aDemo() {
  const world = {};
  before(async () => {
    [world.demo, world.browser] = await Promise.all([startDemo('--no-worker'), launchBrowser()]);
    world.demo.url = world.demo.url.replace('127.0.0.1', 'localhost');
  });
  after(async () => {
    await world.browser?.close();
    await world.demo?.stop();
  });
  return world;
}

/** The app in a fresh profile, closed after the test. */
export async function opened(t, { demo, browser }, query, options) {
  await demo.reset();
  const app = await openApp(browser, demo, query, options);
  t.after(() => app.context.close());
  return app;
}

export const without = (app) => app.page.getByText('Without a passphrase').click();
export const manage = (app) => app.page.getByText('Ways in, export and safety').click();

export async function keyed(app) {
  await app.button('Use the demo keys').click();
  await app.page.getByTestId('target-groq').getByText('Ready').waitFor();
}

export const works = async (app, question) => assert.equal((await app.ask(question)).code, undefined, question);

/** What the page says is wrong. */
export async function problem(app) {
  const notice = app.page.getByTestId('vault-problem');
  await notice.waitFor();
  return notice.innerText();
}
