// Puts the frame of another origin into the page, and a channel between them. Loaded only for `isolation: 'frame'`.

import { afterAwake } from '../awake.js';
import type { TidegateConfig, TidegateHooks } from '../types.js';
import { isolationFailed, misplaced } from './place.js';
import { HELLO } from './protocol.js';
import type { Heard, Realm } from './remote.js';
import { restarting, type Started } from './restarting.js';

/** How long a frame may take to load and to say that it is ready. */
const START_MS = 15_000;

/**
 * The realm of the frame at `frameUrl`, put into `container`, or hidden at the end of the page.
 * @throws `config_invalid` for an address of this page's own origin, and for settings that are the frame's.
 */
export function frameRealm(
  frameUrl: string | undefined,
  config: TidegateConfig,
  container: TidegateHooks['container'],
  heard: Heard,
): Realm {
  const fields = Object.keys(config)
    .filter((field) => config[field as keyof TidegateConfig] !== undefined)
    .map((path) => ({ path, problem: "is the frame's own to set" }));
  if (container != null && typeof container.append !== 'function')
    fields.push({ path: 'hooks.container', problem: 'must be an element' });
  const url = frameUrl === undefined ? undefined : new URL(frameUrl, location.href);
  // A frame of this origin is as open to its scripts as the page.
  const foreign = url && /^https?:$/.test(url.protocol) && url.origin !== location.origin;
  if (!foreign) fields.push({ path: 'frameUrl', problem: 'must be the address of a page on another origin' });
  if (fields.length > 0 || !url) throw misplaced(fields);
  return restarting(
    {
      level: 'frame',
      what: `The frame ${url.href}`,
      startMs: START_MS,
      // The frame knows its own.
      opening: { config: {}, join: undefined, gateway: '', rest: '', kdf: '', later: '' },
      start: () => embed(url, container),
      admit: () => undefined,
      // The frame's own status says which one sees its requests.
      serviceWorker: () => Promise.resolve(undefined),
    },
    heard,
  );
}

async function embed(url: URL, container: TidegateHooks['container']): Promise<Started> {
  const frame = document.createElement('iframe');
  frame.allow = `publickey-credentials-get ${url.origin}; publickey-credentials-create ${url.origin}`;
  frame.referrerPolicy = 'origin';
  frame.title = 'Keys';
  // A reference to an element that is not there yet is null.
  frame.hidden = container == null;
  frame.src = url.href;
  const stop = () => frame.remove();
  try {
    // Places without a DOM have no type for the element. A script in the head runs before there is a body.
    (container ?? document.body ?? document.documentElement).append(frame as never);
    await new Promise<void>((resolve, reject) => {
      const inTime = afterAwake(START_MS, () => reject(isolationFailed(`The frame ${url.href} does not load.`)));
      frame.onload = () => {
        inTime();
        resolve();
      };
    });
    const { port1, port2 } = new MessageChannel();
    // To this origin alone: what was loaded in its place (an error page, a redirect) gets nothing.
    frame.contentWindow?.postMessage([HELLO], url.origin, [port2]);
    return { port: port1, stop };
  } catch (error) {
    stop();
    throw error;
  }
}
