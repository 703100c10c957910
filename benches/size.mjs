// What a Vite app makes a browser load before its first answer: benches `size-brotli-kb`, `size-gzip-kb`, `size-raw-kb`.
// Each row is an app of one file, built for production and opened in Chromium; what Chromium fetched from the app
// before the answer came is counted, so nothing that loads later is, and nothing that loads early is forgotten.
import { readFile, readdir } from 'node:fs/promises';
import { extname, join, relative } from 'node:path';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';
import { apps } from './apps.mjs';
import { buildApp, launch, serve } from './browser.mjs';
import { ANSWER, BASE_URL, TEXT } from './requests.mjs';

const CORS = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' };
const UNITS = { brotli: 'KB', gzip: 'KB', raw: 'KB' };

/** The app's files that the browser fetched before the answer was shown. */
async function loaded(browser, dist) {
  const server = await serve(dist);
  const page = await browser.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(error.message));
  try {
    await page.route(`${BASE_URL}/**`, (route) =>
      route.fulfill({ contentType: 'application/json', headers: CORS, body: ANSWER }),
    );
    await page.goto(server.url);
    try {
      await page.waitForFunction((text) => document.title === text, TEXT, { timeout: 20_000 });
    } catch (error) {
      throw new Error(`no answer in ${dist}: ${problems.join('; ') || (await page.title())}`, { cause: error });
    }
    return new Set(server.asked);
  } finally {
    await page.close();
    server.stop();
  }
}

function sizes(bytes) {
  const params = { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_SIZE_HINT]: bytes.length };
  return {
    brotli: brotliCompressSync(bytes, { params }).length,
    gzip: gzipSync(bytes, { level: 9 }).length,
    raw: bytes.length,
  };
}

async function measure(browser, row) {
  const dist = await buildApp(row, apps[row]);
  const first = await loaded(browser, dist);
  const files = [];
  for (const entry of await readdir(dist, { recursive: true, withFileTypes: true })) {
    if (!['.js', '.wasm'].includes(extname(entry.name))) continue;
    const path = join(entry.parentPath, entry.name);
    const name = relative(dist, path);
    files.push({ name, before: first.has(name), ...sizes(await readFile(path)) });
  }
  const total = (before, kind) =>
    files.filter((file) => file.before === before).reduce((sum, file) => sum + file[kind], 0) / 1000;
  return { files, total };
}

/** Measures the named rows; a size has one round, for a build always gives the same bytes. */
export async function size(names) {
  const browser = await launch();
  const [rows, remarks] = [[], []];
  try {
    const measured = {};
    for (const name of names) measured[name] = await measure(browser, name);
    for (const [kind, unit] of Object.entries(UNITS)) {
      const figures = (bench, row, kb) => ({ bench, row, unit, median: kb, min: kb, max: kb, rounds: 1 });
      for (const name of names) rows.push(figures(`size-${kind}-kb`, name, measured[name].total(true, kind)));
      for (const name of names) {
        const later = measured[name].total(false, kind);
        if (later > 0) rows.push(figures(`size-later-${kind}-kb`, name, later));
      }
    }
    for (const file of measured.tidegate?.files ?? []) {
      const when = file.before ? 'before the first answer' : 'later, when asked for';
      remarks.push(`tidegate ships ${file.name}: ${file.raw} bytes, ${file.gzip} gzip, ${file.brotli} brotli; ${when}`);
    }
  } finally {
    await browser.close();
  }
  return { rows, remarks };
}
