// `tidegate/vite`: a build that would publish a key fails.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import process from 'node:process';

import type { HtmlTagDescriptor, Plugin, ResolvedConfig, Rolldown, ViteDevServer } from 'vite';

import { audit } from './audit/audit.js';
import { dayOf, pardonOf, type Baseline } from './audit/baseline.js';
import { detector, type Detector } from './audit/detector.js';
import { isPublic, modeFiles, readEnvFile } from './audit/env.js';
import { failing, inOrder, placeOf, shownFrom, type FailOn, type Located } from './audit/located.js';
import { Origins } from './audit/origins.js';
import { keyOf, openBaseline } from './audit/settings.js';
import { files } from './cli/files.js';
import { titleOf } from './cli/report.js';
import { wrapped } from './cli/columns.js';
import type { ScanValue } from './node.js';
import { onlyOptions } from './options.js';

export type { FailOn, ScanValue };

export interface TidegateViteOptions {
  /** Warn instead of failing the build, and show no overlay. Default: false. */
  warn?: boolean | undefined;
  /** What fails: secrets (default), or also keys that may be public or secret. */
  failOn?: FailOn | undefined;
  /** Whether the values of the mode's env files are looked for as well, those of public names apart. Default: true. */
  envFiles?: boolean | undefined;
  /** Whether the values of the build's own environment are looked for too, as on a build server. Default: false. */
  environment?: boolean | undefined;
  /** Further variables whose values must not be published. */
  values?: readonly ScanValue[] | undefined;
  /** A baseline made by `tidegate scan --update-baseline`, relative to the project's root. */
  baseline?: string | undefined;
  /** Look into what is built for a server, too. Default: false, since nobody is sent that. */
  server?: boolean | undefined;
}

interface Bundled {
  readonly fileName: string;
  readonly content: string | Uint8Array;
  /** Files that it may come from. */
  readonly sources: readonly string[];
}

const OPTIONS: Record<keyof TidegateViteOptions, 0> = {
  warn: 0,
  failOn: 0,
  envFiles: 0,
  environment: 0,
  values: 0,
  baseline: 0,
  server: 0,
};

/**
 * Looks for keys in everything that the build emits, and in the modules of the development server. Throws a `TypeError` for
 * an option that there is not, and for another `failOn`: with a slip it would look for less than was meant.
 */
export function tidegate(options: TidegateViteOptions = {}): Plugin {
  onlyOptions('tidegate', options, OPTIONS);
  const failOn = options.failOn ?? 'secret';
  if (!['secret', 'ambiguous'].includes(failOn)) throw new TypeError("tidegate: failOn is 'secret' or 'ambiguous'");
  let config: ResolvedConfig;
  let baseline: Baseline | undefined;
  let found: Detector;
  let server: ViteDevServer | undefined;
  const show = (path: string) => shownFrom(config.root, path);

  const judged = (findings: readonly Located[]): Located[] => {
    const today = dayOf(Date.now());
    return inOrder(findings)
      .map((finding): Located => {
        const said = finding.pardon || !baseline ? undefined : pardonOf(baseline, finding, today);
        return typeof said === 'string' ? { ...finding, note: said } : said ? { ...finding, pardon: said } : finding;
      })
      .filter((finding) => failing(finding, failOn));
  };

  const bundled = async (
    { fileName, content, sources }: Bundled,
    all: ReadonlyMap<string, string>,
    origins: Origins,
  ) => {
    const built = resolve(config.root, config.build.outDir, fileName);
    const beside = all.get(`${fileName}.map`);
    const map = () => Promise.resolve(beside === undefined ? undefined : { text: beside, path: `${built}.map` });
    const findings = await audit(found, { path: show(built), from: built, content, show, map });
    return Promise.all(findings.map((finding) => origins.trace(finding, sources)));
  };

  const overlay = async (content: string, id: string): Promise<void> => {
    const path = cleanId(id);
    const findings = await audit(found, { path: show(path), from: path, content, show });
    const origins = new Origins(found, show);
    const traced = await Promise.all(findings.map((finding) => origins.trace(finding, [path, ...modeFilesOf(config)])));
    const open = judged(traced);
    if (open.length === 0) return;
    const message = told(open, 'This module holds a key, and everybody who opens the page gets it.');
    config.logger.error(message, { timestamp: true });
    if (options.warn === true) return;
    const { line, column } = open[0]?.source ?? { line: 1, column: 1 };
    const err = { message, stack: '', id: path, plugin: 'tidegate', loc: { file: path, line, column: column - 1 } };
    server?.ws.send({ type: 'error', err });
  };

  return {
    name: 'tidegate',
    // Before version 8, Vite's optimizer bundles packages without the files that they name by `new URL`: the worker.
    config: () => ({ optimizeDeps: { exclude: ['tidegate'] } }),
    enforce: 'post',

    configResolved(resolved) {
      config = resolved;
      baseline = options.baseline === undefined ? undefined : openBaseline(resolve(config.root, options.baseline));
      found = detector({ key: keyOf(baseline), values: valuesFor(config, options) });
    },

    configureServer(started) {
      server = started;
    },

    transform: {
      order: 'post',
      async handler(code, id, asked) {
        if (!server || forServer(this, asked?.ssr === true) || id.includes('/node_modules/')) return;
        await overlay(code, id);
      },
    },

    transformIndexHtml: {
      order: 'post',
      async handler(html, { server: serving, filename }): Promise<HtmlTagDescriptor[]> {
        if (serving) await overlay(html, filename);
        return [];
      },
    },

    generateBundle: {
      order: 'post',
      async handler(_output, bundle) {
        if (options.server !== true && forServer(this, Boolean(config.build.ssr))) return;
        const maps = new Map<string, string>();
        const origins = new Origins(found, show);
        // What a chunk is made of first, then whatever else may have brought a value in.
        const others = [...this.getModuleIds()].map(cleanId).filter((id) => !id.includes('/node_modules/'));
        const rest = [
          ...others,
          ...modeFilesOf(config),
          config.configFile ?? 'vite.config',
          resolve(config.root, 'index.html'),
        ];
        const findings: Located[] = [];
        for (const part of Object.values(bundle).map((one) => partOf(one, maps))) {
          findings.push(...(await bundled({ ...part, sources: [...part.sources, ...rest] }, maps, origins)));
        }
        findings.push(...(await inPublic(found, config, show)));
        const open = judged(findings);
        if (open.length === 0) return;
        const message = told(open, 'What this build publishes holds a key, and everybody can read it.');
        if (options.warn === true) this.warn(message);
        else this.error(message);
      },
    },
  };
}

/** Whether what is built is for a server. Before version 6, Vite has no environments, and says so in another place. */
const forServer = ({ environment }: { environment?: { config: { consumer: string } } }, before: boolean): boolean =>
  environment === undefined ? before : environment.config.consumer === 'server';

/** A chunk with its map, which is no file of its own yet when nothing asked for one; or an asset. */
function partOf(part: Rolldown.OutputChunk | Rolldown.OutputAsset, maps: Map<string, string>): Bundled {
  const { fileName } = part;
  if (part.type === 'chunk') {
    if (part.map) maps.set(`${fileName}.map`, part.map.toString());
    return { fileName, content: part.code, sources: part.moduleIds.map(cleanId) };
  }
  if (fileName.endsWith('.map')) {
    maps.set(fileName, typeof part.source === 'string' ? part.source : new TextDecoder().decode(part.source));
  }
  return { fileName, content: part.source, sources: part.originalFileNames };
}

/** Files of the public folder are copied as they are, past the bundle. */
async function inPublic(found: Detector, config: ResolvedConfig, show: (path: string) => string): Promise<Located[]> {
  const { publicDir, build } = config;
  if (publicDir === '' || !build.copyPublicDir || !existsSync(publicDir)) return [];
  const findings: Located[] = [];
  for await (const path of files([publicDir], { cwd: config.root, ignored: true })) {
    findings.push(...(await audit(found, { path: show(path), from: path, content: await readFile(path), show })));
  }
  return findings;
}

const cleanId = (id: string): string => id.replace(/^\0/u, '').replace(/[?#].*$/u, '');

const modeFilesOf = ({ envDir, mode }: ResolvedConfig): string[] => (envDir === false ? [] : modeFiles(envDir, mode));

/** The variables that are not public by their names. */
function valuesFor(config: ResolvedConfig, { envFiles = true, environment, values = [] }: TidegateViteOptions) {
  const prefixes = [config.envPrefix ?? 'VITE_'].flat();
  const paths = envFiles ? modeFilesOf(config) : [];
  const variables: ScanValue[] = paths.flatMap((path) => readEnvFile(path, shownFrom(config.root, path)));
  if (environment === true) {
    for (const [name, value = ''] of Object.entries(process.env)) variables.push({ name, value, place: 'environment' });
  }
  return [...variables.filter(({ name }) => !isPublic(name, prefixes)), ...values];
}

/** The message: each key, where it comes from, where it would go, and what to do. */
function told(findings: readonly Located[], lead: string): string {
  const keys = new Map<string, Located[]>();
  for (const one of findings) keys.set(one.fingerprint, [...(keys.get(one.fingerprint) ?? []), one]);
  const blocks = [...keys.values()].slice(0, 10).flatMap(([first, ...more]) => {
    if (!first) return [];
    const all = [first, ...more];
    const origins = new Set(all.flatMap(({ source }) => (source ? `in   ${placeOf(source)}` : [])));
    const places = new Set(all.map((one) => `${origins.size > 0 ? 'goes' : 'in  '} ${placeOf(one)}`));
    const notes = new Set(all.flatMap(({ note }) => (note === undefined ? [] : `note ${note}`)));
    const what = wrapped(`${first.advice} ${first.docs}`, 92);
    return [`${titleOf(first)}: ${first.preview}`, ...origins, ...places, ...notes, ...what].join('\n  ');
  });
  const rest = keys.size > 10 ? [`… and ${keys.size - 10} more`] : [];
  return [lead, ...blocks, ...rest].join('\n\n');
}

export default tidegate;
