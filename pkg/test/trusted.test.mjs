// Trusted Types: the policy of this package lets its own workers' addresses through, and only while it asks itself.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { trusted } from '../dist/isolation/trusted.js';

const address = new URL('https://app.example/worker.js');

test('where there are no Trusted Types, an address is what it was', () => {
  assert.equal(trusted(address), address);
});

test('one policy passes the address that is asked for, and nothing to anybody who gets hold of it', (t) => {
  const policies = [];
  let isBroken = false;
  globalThis.trustedTypes = {
    createPolicy(name, rules) {
      policies.push([name, rules]);
      return {
        createScriptURL(url) {
          assert.throws(() => rules.createScriptURL('https://evil.example/worker.js'), TypeError, 'another meanwhile');
          if (isBroken) throw new RangeError('no');
          return { passed: rules.createScriptURL(url) };
        },
      };
    },
  };
  t.after(() => delete globalThis.trustedTypes);
  assert.deepEqual(trusted(address), { passed: address.href });
  assert.deepEqual(trusted(address), { passed: address.href });
  assert.deepEqual(
    policies.map(([name]) => name),
    ['tidegate'],
  );
  const [[, rules]] = policies;
  assert.throws(() => rules.createScriptURL(address.href), TypeError, 'afterwards');
  isBroken = true;
  assert.throws(() => trusted(address), RangeError);
  assert.throws(() => rules.createScriptURL(address.href), TypeError, 'after a failure');
});
