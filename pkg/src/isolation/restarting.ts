// A realm that is started when it is needed, and anew when it was lost. What is started is a worker or a frame.

import { afterAwake } from '../awake.js';
import { closed, type TidegateError } from '../errors.js';
import { crashed, Line } from './line.js';
import { isolationFailed, misplaced } from './place.js';
import type { Opening, Port } from './protocol.js';
import type { Heard, Realm } from './remote.js';

/** A realm that lived so long has not failed at its start. */
const SETTLED_MS = 1_000;

export interface Started {
  port: Port;
  stop(): void;
  /** Tells of a bad end that makes itself known. */
  watch?(broken: (why: string) => void): void;
}

export interface Starting extends Pick<Realm, 'level' | 'admit' | 'serviceWorker'> {
  /** What is started, as an error names it. */
  what: string;
  /** A sentence to add where it could not be started. */
  hint?: string;
  start(): Promise<Started>;
  /** How long it may take to say that it is ready, in milliseconds; asleep, no time passes. */
  startMs: number;
  opening: Opening;
  /** The build that it must be. */
  build?: string;
}

/** Nothing is started before the first `line`. */
export function restarting(how: Starting, heard: Heard): Realm {
  let stop: (() => void) | undefined;
  let current: Promise<Line> | undefined;
  let begun: Line | undefined;
  let ended = false;

  const begin = async (): Promise<Line> => {
    const started = await how.start();
    if (ended) {
      started.stop();
      throw closed();
    }
    stop = started.stop;
    let openedAt = Infinity;
    const line = new Line(started.port, heard.event, () => {
      started.stop();
      current = undefined;
      // At once, so that its events go on. One that fails at its start, or right after, waits for whoever asks next.
      if (performance.now() - openedAt > SETTLED_MS) void realm.line();
    });
    started.watch?.((why) => {
      const failed = () => isolationFailed(`${how.what} could not be started.${how.hint ?? ''}`, false, why);
      line.lose(openedAt < Infinity ? crashed(why) : failed());
    });
    begun = line;
    const inTime = afterAwake(how.startMs, () => line.lose(isolationFailed(`${how.what} does not start.`)));
    try {
      const found = await line.ready.finally(inTime);
      if (how.build && found !== how.build) {
        throw isolationFailed(`${how.what} is for dialects '${found}', not '${how.build}'.`);
      }
      await line
        .call((id) => line.send(['open', id, how.opening]))
        .catch((error: TidegateError) => {
          // Not sent: there is something in it that cannot be cloned.
          if (error.cause instanceof DOMException) throw misplaced([{ path: '', problem: 'must be plain data' }]);
          throw error;
        });
      openedAt = performance.now();
      for (const name of heard.names()) line.send(['listen', name, true]);
      return line;
    } catch (error) {
      line.close();
      started.stop();
      throw error;
    }
  };

  const realm: Realm = {
    level: how.level,
    admit: how.admit,
    serviceWorker: how.serviceWorker,
    line() {
      if (ended) return Promise.reject(closed());
      if (!current) {
        const opened = begin();
        current = opened;
        opened.catch(() => {
          if (current === opened) current = undefined;
        });
      }
      return current;
    },
    end() {
      ended = true;
      // Also one that is not open yet.
      begun?.close();
      stop?.();
    },
  };
  return realm;
}
