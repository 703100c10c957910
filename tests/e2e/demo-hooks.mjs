import { after, before } from 'node:test';

import { launchBrowser, startDemo } from './support.mjs';

/** Starts the demo and Chromium before a suite's tests, gives `[demo, browser]` to `take`, and stops both after the tests. */
export function demoForAll(options, take) {
  let running = [];
  before(async () => {
    running = await Promise.all([startDemo(...options), launchBrowser()]);
    take(running);
  });
  after(async () => {
    const [demo, browser] = running;
    await browser?.close();
    await demo?.stop();
  });
}
