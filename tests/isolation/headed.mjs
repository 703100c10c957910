// Chromium with a window, on a screen in memory: only there a page is hidden behind another one, and its timers are throttled.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { chromium } from 'playwright-core';

import { CHROMIUM } from '../packaging/browsers.mjs';

/** What a test that needs a window is given. */
export const windowed = { skip: !process.env.XVFB && 'no Xvfb here' };

/** After how long a hidden page is woken only once a minute: five minutes, as it comes. */
const THROTTLED = '--enable-features=IntensiveWakeUpThrottling:grace_period_seconds/1';

/**
 * Started without Playwright, whose settings have every page seen and in front, and driven by it all the same. `close()`
 * ends it.
 */
export async function launchWindow() {
  const profile = await mkdtemp(join(tmpdir(), 'tidegate-window-'));
  const started = [];
  const close = async () => {
    for (const child of started.reverse()) {
      const ended = child.exitCode === null && child.signalCode === null && once(child, 'exit');
      child.kill();
      await ended;
    }
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  const start = (program, args, options) => {
    const child = spawn(program, args, options);
    started.push(child);
    return child;
  };
  try {
    const screen = start(process.env.XVFB, ['-displayfd', '1', '-nolisten', 'tcp'], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    const [number] = await once(screen.stdout, 'data');
    const args = [
      ...CHROMIUM.args,
      THROTTLED,
      '--remote-debugging-port=0',
      `--user-data-dir=${profile}`,
      'about:blank',
    ];
    const env = { ...process.env, DISPLAY: `:${String(number).trim()}` };
    const own = start(CHROMIUM.executablePath, args, { stdio: ['ignore', 'ignore', 'pipe'], env });
    const address = await listening(own);
    const browser = await chromium.connectOverCDP(address, { noDefaults: true });
    const [context] = browser.contexts();
    return {
      context,
      async close() {
        await browser.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function listening(browser) {
  const said = [];
  for await (const line of createInterface({ input: browser.stderr })) {
    const [, address] = line.match(/DevTools listening on (\S+)/) ?? [];
    if (address) {
      browser.stderr.resume();
      return address;
    }
    said.push(line);
  }
  throw new Error(`${CHROMIUM.executablePath} ended:\n${said.join('\n')}`);
}
