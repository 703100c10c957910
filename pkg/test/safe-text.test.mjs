// `SafeText` on a server: Next.js takes a package that it leaves out of its bundle with the React of `node_modules`, and
// renders with its own.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { renderToString } from 'react-dom/server';

import { SafeText } from '../dist/react/index.js';

test('the words are rendered, whichever React renders them, and nothing of the policies', () => {
  // Called as another React would: the package's own one does not know that anything is rendered, and has no hooks.
  const element = SafeText({ text: 'one <b>\ntwo', as: 'section', className: 'answer', links: 'none', images: 'none' });
  assert.equal(renderToString(element), '<section class="answer">one &lt;b&gt;<br/>two</section>');
});
