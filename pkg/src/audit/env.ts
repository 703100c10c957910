// Env files, as build tools read them: which there are, and what stands in them.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseEnv } from 'node:util';

/** Prefixes of the variables that a build tool writes into what it publishes. */
export const PUBLIC_PREFIXES: readonly string[] = [
  'VITE_', // Vite
  'NEXT_PUBLIC_', // Next.js
  'PUBLIC_', // Astro, SvelteKit
  'REACT_APP_', // Create React App
  'NUXT_PUBLIC_', // Nuxt
  'GATSBY_', // Gatsby
  'EXPO_PUBLIC_', // Expo
  'VUE_APP_', // Vue CLI
  'STORYBOOK_', // Storybook
  'RSBUILD_PUBLIC_', // Rsbuild
];

export const isPublic = (name: string, prefixes: readonly string[] = PUBLIC_PREFIXES): boolean =>
  prefixes.some((prefix) => prefix !== '' && name.startsWith(prefix));

export interface EnvVariable {
  readonly name: string;
  readonly value: string;
  /** File and line, as they are told. */
  readonly place: string;
  readonly file: string;
  /** From 1; 0 if the line is not to be found. */
  readonly line: number;
}

/** The variables of an env file. Throws what reading throws. */
export function readEnvFile(path: string, shown = path): EnvVariable[] {
  const text = readFileSync(path, 'utf8').replace(/^\uFEFF/u, '');
  const lines = text.split('\n');
  return Object.entries(parseEnv(text)).map(([name, value = '']) => {
    const line = lines.findLastIndex((one) => assigned(one) === name) + 1;
    return { name, value, file: shown, line, place: line > 0 ? `${shown}:${line}` : shown };
  });
}

const assigned = (line: string): string | undefined => /^\s*(?:export\s+)?([^\s=#]+)\s*=/u.exec(line)?.[1];

/** `.env`, `.env.production`, `.dev.vars`, … of a folder; not the examples. */
export function envFiles(folder: string): string[] {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.filter((name) => /^\.(?:env|dev\.vars)(?:\.[\w.-]+)?$/u.test(name)).sort();
}

export const isExample = (name: string): boolean => /\.(?:example|sample|template|dist|defaults?)$/u.test(name);

/** The env files that Vite reads in a mode, the later ones winning. */
export const modeFiles = (folder: string, mode: string): string[] =>
  ['.env', '.env.local', `.env.${mode}`, `.env.${mode}.local`]
    .map((name) => join(folder, name))
    .filter((path) => existsSync(path));
