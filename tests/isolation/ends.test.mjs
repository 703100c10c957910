// How streams and gates end, in each browser: see pages/ends.js.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BROWSERS, where } from '../packaging/browsers.mjs';
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
/** For a WebKit that opens 17 connections in all: the streams of all cases at once would leave none for what loads later. */
const { unhandled: _, ...CASES } = AS_IT_SHOULD;
const ONE_BY_ONE = Object.keys(CASES);

for (const [name, start] of Object.entries(BROWSERS)) {
  test(name, where(name), async (t) => {
    const driven = await start();
    t.after(() => driven.close());
    const [origin, ours, endless, hang] = await Promise.all([site(t), provider(t), provider(t), provider(t)]);
    Object.assign(endless, { mode: 'endless' });
    Object.assign(hang, { mode: 'hang' });
    for (const isolation of ['page', 'worker']) {
      const query = { isolation, provider: ours.url, endless: endless.url, hang: hang.url };
      const told = {};
      for (const only of name === 'WebKit' ? ONE_BY_ONE : ['']) {
        const url = `${origin}/ends.html?${new URLSearchParams({ ...query, only })}`;
        Object.assign(told, JSON.parse(await driven.text(url)));
        assert.deepEqual(told.unhandled, [], `${isolation} ${only}`);
      }
      assert.deepEqual(told, AS_IT_SHOULD, isolation);
    }
  });
}
