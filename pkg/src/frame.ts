// The frame's page (`dist/frame.html`), served from an origin of its own: runs the gateway, keeps its vault, and answers
// the apps that its `frame.json` lists. Keys and passphrases are entered here and nowhere else.

import { dataOf, toError } from './errors.js';
import { showVault } from './frame/view.js';
import { settingsOf, type FrameSettings } from './frame/settings.js';
import { meter } from './isolation/meter.js';
import { isolationFailed } from './isolation/place.js';
import { HELLO } from './isolation/protocol.js';
import { serve } from './isolation/serve.js';
import { make } from './page.js';
import type { Tidegate } from './tidegate.js';

const gate = (settings: FrameSettings) =>
  // The level that this page has: nothing else runs in it.
  make(settings.config, {}, () => undefined);

let settings: Promise<FrameSettings> | undefined;
let opened: Promise<Tidegate> | undefined;
let taken = false;

const ready = async () => {
  settings ??= fetch('frame.json').then(async (answer) => settingsOf(await answer.json()));
  const found = await settings;
  opened ??= gate(found);
  return { settings: found, gate: await opened };
};

/** One app for the life of the page: whoever embeds it, not one of its other frames. */
addEventListener('message', (event: MessageEvent<unknown>) => {
  const [port] = event.ports;
  const asked = Array.isArray(event.data) && event.data[0] === HELLO;
  if (!asked || !port || event.source !== parent || parent === window || taken) return;
  taken = true;
  ready().then(
    ({ settings: { origins, bounds }, gate }) => {
      if (origins.includes(event.origin)) {
        return serve(
          port,
          'frame',
          () => Promise.resolve(gate),
          meter(bounds, () => performance.now()),
        );
      }
      port.postMessage(['refused', dataOf(isolationFailed(`The frame's list of origins lacks ${event.origin}.`))]);
    },
    (error: unknown) => port.postMessage(['refused', dataOf(toError(error))]),
  );
});

ready().then(
  ({ gate, settings: { config } }) => showVault(gate, config),
  (error: unknown) => {
    document.querySelector('output')!.textContent = toError(error).message;
  },
);
