// What the end-to-end tests share: the demo as `make demo` serves it, Chromium, and a person's steps in the app.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { chromium } from 'playwright-core';

export const DEMO = fileURLToPath(new URL('../../scripts/demo.mjs', import.meta.url));
export const PASSPHRASE = 'correct horse battery staple';
export const GROQ = 'groq/openai/gpt-oss-20b';
export const OPENROUTER = 'openrouter/qwen/qwen3-coder:free';

const CHROME = process.env.CHROME || '/usr/bin/chromium';
const CHROME_ARGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-dev-shm-usage',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How Chromium is started. */
export const CHROMIUM = { executablePath: CHROME, args: CHROME_ARGS };

export const launchBrowser = () => chromium.launch(CHROMIUM);

/** Starts the demo on free ports and waits for the line that says where everything is. */
export async function startDemo(...options) {
  const quick = ['--latency-ms', '0', '--tokens-per-second', '0'];
  const args = [DEMO, '--quiet', '--port', '0', '--worker-port', '0', ...quick, ...options];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout });
  const exited = once(child, 'exit');
  const line = await Promise.race([
    once(lines, 'line').then(([text]) => text),
    exited.then(([code]) => Promise.reject(new Error(`the demo ended with ${code} before it was ready`))),
  ]);
  const facts = JSON.parse(line);
  const control = async (method, path, body) => {
    const answer = await fetch(facts.controlUrl + path, { method, body: body && JSON.stringify(body) });
    const value = await answer.json();
    if (!answer.ok) throw new Error(value.error);
    return value;
  };
  return {
    ...facts,
    child,
    /** Gives a stand-in a fault. */
    fault: (provider, kind, more = {}) => control('POST', '/fault', { provider, kind, ...more }),
    /** Heals both stand-ins and empties the journal. */
    reset: () => control('POST', '/reset'),
    journal: (provider) => control('GET', `/journal?provider=${provider}`),
    calls: async (provider) => (await control('GET', `/journal?provider=${provider}`)).count,
    demoKey: async (provider) => (await fetch(`${facts.url}demo-key/${provider}`)).text(),
    /** Ends the demo as a person does; the exit code. */
    stop: async (signal = 'SIGINT') => {
      child.kill(signal);
      const [code] = await exited;
      return code;
    },
  };
}

/** The app in a page of its own origin storage, with the person's steps. */
export async function openApp(browser, demo, query = {}, contextOptions = {}) {
  const context = await browser.newContext(contextOptions);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const url = `${demo.url}?${new URLSearchParams({ baseMs: '5', ...query })}`;
  await page.goto(url);
  await page.getByTestId('vault').waitFor();
  return { context, page, url, ...steps(page) };
}

export function steps(page) {
  const button = (name) => page.getByRole('button', { name, exact: true });
  const vaultState = (words) => page.getByTestId('vault-state').getByText(words, { exact: true }).waitFor();
  const nano = async (testId) => Number(await page.getByTestId(testId).getAttribute('data-nano-usd'));

  const createVault = async () => {
    await page.getByLabel('New passphrase').fill(PASSPHRASE);
    await page.getByLabel('The same again').fill(PASSPHRASE);
    await button('Create the vault').click();
    await vaultState('Vault unlocked');
  };

  const send = async (message) => {
    await page.getByLabel('Your message').fill(message);
    await button('Send').click();
  };
  // Shown by this request: the last one's outcome goes away when a message is sent.
  const ended = () => page.locator('.outcome[aria-busy="false"] > *').waitFor();
  const words = (testId) => page.getByTestId(testId).innerText();

  return {
    button,
    vaultState,
    send,
    ended,
    words,
    phase: (phase) => page.locator(`[data-testid="answer"][data-phase="${phase}"]`).waitFor(),
    createVault,
    unlock: async (passphrase = PASSPHRASE) => {
      await page.getByLabel('Passphrase', { exact: true }).fill(passphrase);
      await button('Unlock').click();
    },
    addKey: async (provider, key) => {
      const input = page.getByLabel('API key');
      // It opens by itself once it is known that there is no key: a click at that moment would close it.
      const form = page.locator('details', { hasText: 'Add or replace a key' }).last();
      await form.evaluate((details) => void (details.open = true));
      await page.getByLabel('Provider').selectOption({ label: provider });
      await input.fill(key);
      await button('Add the key').click();
    },
    /** A vault with a throw-away key for both stand-ins. */
    setUp: async () => {
      await createVault();
      await button('Use the demo keys').click();
      await page.getByTestId('target-groq').getByText('Ready').waitFor();
      await page.getByTestId('target-openrouter').getByText('Ready').waitFor();
    },
    /** Sends a message; resolves with what the page then shows. */
    ask: async (message) => {
      await send(message);
      await ended();
      const problem = page.getByTestId('problem');
      if (await problem.isVisible()) {
        return { code: await problem.getAttribute('data-code'), words: await problem.innerText() };
      }
      return {
        text: await words('answer-text'),
        target: await page.getByTestId('answer-target').getAttribute('data-target'),
        cache: await words('answer-cache'),
        costNanoUsd: await nano('answer-cost'),
      };
    },
    spent: () => nano('budget-spent'),
    reserved: () => nano('budget-reserved'),
    breaker: (provider, state) => page.locator(`[data-testid="target-${provider}"][data-breaker="${state}"]`).waitFor(),
    /** The steps of the newest request as the page tells them. */
    traceSteps: async () => page.getByTestId('trace-request').first().getByTestId('trace-step').allInnerTexts(),
  };
}
