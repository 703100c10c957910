// How streams and gates end, in Chromium and Firefox: see pages/ends.js.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { openChromium, openFirefox } from '../packaging/browsers.mjs';
import { provider, site } from './support.mjs';

const AS_IT_SHOULD = {
  breaks: 'ok 0',
  returnsWhileWaiting: [true, 'told', 'ok 0'],
  returnsBeforeTheFirst: 'ok 0',
  throwsIn: ['RangeError', 'ok 0'],
  readTwice: ['ok', 'invalid_request', 'invalid_request', 'ok 0'],
  teed: 'ok 0',
  cancelReasons: 'ok 0',
  abortReasons: 'aborted ok 0',
  abortedBefore: ['aborted', 'true'],
  abortedMeanwhile: 'aborted true 0',
  oddOptions: 'invalid_request',
  notPlainData: ['config_invalid', 'invalid_request'],
  closedInAStream: ['told', 'closed'],
  closedInAQueue: ['ok', 'closed', 'ok'],
  closedInAVault: 'true ok',
  closedAndOpened: [true, 'ok'],
  unhandled: [],
};

for (const start of [openChromium, openFirefox]) {
  test(start.name, async (t) => {
    const driven = await start();
    t.after(() => driven.close());
    const [origin, ours, endless, hang] = await Promise.all([site(t), provider(t), provider(t), provider(t)]);
    Object.assign(endless, { mode: 'endless' });
    Object.assign(hang, { mode: 'hang' });
    for (const isolation of ['page', 'worker']) {
      const query = new URLSearchParams({ isolation, provider: ours.url, endless: endless.url, hang: hang.url });
      assert.deepEqual(JSON.parse(await driven.text(`${origin}/ends.html?${query}`)), AS_IT_SHOULD, isolation);
    }
  });
}
