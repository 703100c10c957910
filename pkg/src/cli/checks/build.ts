// The build's configuration: what it publishes by name, what it writes into the code, whether it ships the sources.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';

import type { ResolvedConfig } from 'vite';

import { detector } from '../../audit/detector.js';
import { PUBLIC_PREFIXES, type EnvVariable } from '../../audit/env.js';
import { revoke, type Check, type Project } from './check.js';

export interface BuildState {
  readonly prefixes: readonly string[];
  /** Relative to the project; nothing if the configuration does not say. */
  readonly outDir?: string;
  readonly vite?: ResolvedConfig;
  readonly checks: readonly Check[];
}

const VITE = ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((end) => `vite.config.${end}`);
const NEXT = ['ts', 'mjs', 'js', 'cjs'].map((end) => `next.config.${end}`);

/** Reads the configuration; Vite's is resolved by the project's own Vite. */
export async function readBuild({ folder, mode }: Project): Promise<BuildState> {
  const file = VITE.find((name) => existsSync(join(folder, name)));
  if (file === undefined) return { prefixes: PUBLIC_PREFIXES, checks: await nextChecks(folder) };
  try {
    const entry = createRequire(join(folder, 'package.json')).resolve('vite');
    const { resolveConfig } = (await import(pathToFileURL(entry).href)) as typeof import('vite');
    const vite = await resolveConfig({ root: folder, logLevel: 'silent' }, 'build', mode, 'production');
    const own = [vite.envPrefix ?? 'VITE_'].flat();
    const outDir = relative(folder, join(vite.root, vite.build.outDir)) || vite.build.outDir;
    return { prefixes: [...new Set([...own, ...PUBLIC_PREFIXES])], outDir, vite, checks: viteChecks(vite, file) };
  } catch (error) {
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const title = `${file} could not be loaded: ${said}`;
    const next = 'Install the dependencies, see that the build works, then validate again.';
    return { prefixes: PUBLIC_PREFIXES, checks: [{ area: 'build', id: 'vite-config', level: 'skip', title, next }] };
  }
}

function viteChecks(vite: ResolvedConfig, where: string): Check[] {
  const checks: Check[] = [];
  const { sourcemap } = vite.build;
  if (sourcemap === true || sourcemap === 'inline') {
    checks.push({
      area: 'build',
      id: 'source-maps',
      level: 'warn',
      title: `build.sourcemap is ${JSON.stringify(sourcemap)}: the sources are published with the app`,
      where,
      next: "Leave it off, or set 'hidden', send the maps to your error tracker, and delete them before you deploy.",
    });
  }
  if (!vite.plugins.some(({ name }) => name === 'tidegate')) {
    checks.push({
      area: 'build',
      id: 'vite-plugin',
      level: 'warn',
      title: 'nothing stops a build that would publish a key',
      where,
      next: "import tidegate from 'tidegate/vite', and add tidegate() to plugins.",
    });
  }
  return checks;
}

/** What `define` writes into the code; `values` are the variables that must not be published. */
export async function defineChecks(vite: ResolvedConfig | undefined, values: readonly EnvVariable[]): Promise<Check[]> {
  const checks: Check[] = [];
  const found = detector({ values });
  for (const [name, value] of Object.entries(vite?.define ?? {})) {
    const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
    const finding = (await found.scan(text)).find((one) => one.class === 'secret');
    if (!finding) continue;
    checks.push({
      area: 'build',
      id: 'vite-define',
      level: 'fail',
      title: `define writes a secret into the code as ${name} (${finding.rule}, ${finding.preview})`,
      where: vite?.configFile === undefined ? 'vite.config' : relative(vite.root, vite.configFile),
      next: `Define only the variables that the page needs, one by one. ${revoke(finding)}`,
    });
  }
  return checks;
}

async function nextChecks(folder: string): Promise<Check[]> {
  const where = NEXT.find((name) => existsSync(join(folder, name)));
  if (where === undefined) return [];
  const text = await readFile(join(folder, where), 'utf8');
  if (!/^[^/*\n]*\bproductionBrowserSourceMaps\s*:\s*true\b/mu.test(text)) return [];
  const title = 'productionBrowserSourceMaps is true: the sources are published with the app';
  const next = 'Leave it off, or delete the maps before you deploy.';
  return [{ area: 'build', id: 'source-maps', level: 'warn', title, where, next }];
}
