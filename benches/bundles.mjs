// Real minified bundles: what the packages in node_modules publish.
import { readFileSync } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../node_modules/', import.meta.url));

/** Smaller ones are wrappers and stubs. */
const LEAST = 4_096;
/** Lines of what people write are shorter, comments included. */
const LINE = 160;

/** Paths below node_modules, in order, of JavaScript, and of HTML and CSS, that a build made. */
export async function bundles() {
  const found = [];
  const walk = async (folder) => {
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isDirectory() && entry.name !== '.cache') await walk(path);
      else if (entry.isFile() && /\.(?:[cm]?js|html|css)$/u.test(entry.name)) found.push(path);
    }
  };
  await walk(ROOT);
  const kept = [];
  for (const path of found.sort()) {
    if ((await stat(path)).size < LEAST) continue;
    const bytes = readFileSync(path);
    if (isMinified(bytes)) kept.push({ path: relative(ROOT, path).replaceAll('\\', '/'), bytes });
  }
  return kept;
}

function isMinified(bytes) {
  let lines = 1;
  for (let at = bytes.indexOf(10); at >= 0; at = bytes.indexOf(10, at + 1)) lines += 1;
  return bytes.length / lines > LINE;
}
