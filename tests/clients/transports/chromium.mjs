// `gate.fetch` in a page of Chromium, with the clients bundled as an app would bundle them.

import { launchBrowser } from '../../e2e/support.mjs';
import { startStandIn } from '../stand-in.mjs';
import { servePage } from './site.mjs';

export async function inChromium() {
  const standIn = await startStandIn();
  const server = await servePage('page.mjs');
  const browser = await launchBrowser();
  const page = await browser.newPage();
  page.on('pageerror', (error) => console.error('page:', error.message));
  await page.goto(`http://127.0.0.1:${server.address().port}/`);
  await page.waitForFunction(() => 'runTask' in globalThis);
  return {
    standIn,
    run: (name, task, variant) =>
      page.evaluate((given) => globalThis.runTask(...given), [standIn.url, task, variant ?? null]),
    async stop() {
      await browser.close();
      server.close();
      server.closeAllConnections();
      await standIn.stop();
    },
  };
}
