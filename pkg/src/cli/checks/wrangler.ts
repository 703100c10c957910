// wrangler's configuration: `vars` are plain text in it and in Cloudflare's dashboard; secrets are put apart.

import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { detector } from '../../audit/detector.js';
import { parseToml } from '../../audit/vendor.js';
import { parseJsonc } from '../jsonc.js';
import { evidence, revoke, secretIn, type Check, type Project } from './check.js';

const FILES = ['wrangler.jsonc', 'wrangler.json', 'wrangler.toml'];

export async function wranglerChecks({ folder }: Project): Promise<Check[]> {
  const file = FILES.find((name) => existsSync(join(folder, name)));
  if (file === undefined) return [];
  const text = await readFile(join(folder, file), 'utf8');
  let raw: unknown;
  try {
    raw = file.endsWith('.toml') ? parseToml(text) : parseJsonc(text);
  } catch (error) {
    const said = error instanceof Error ? error.message.split('\n')[0] : String(error);
    const next = 'Put it right, then validate again.';
    return [
      { area: 'wrangler', id: 'wrangler-config', level: 'fail', title: `not readable: ${said}`, where: file, next },
    ];
  }
  const checks: Check[] = [];
  for (const { name, value, environment } of variables(raw)) {
    const finding = await secretIn({ name, value });
    if (!finding) continue;
    const line = text.slice(0, Math.max(0, text.indexOf(value))).split('\n').length;
    const target = environment === undefined ? '' : ` --env ${environment}`;
    checks.push({
      area: 'wrangler',
      id: 'wrangler-vars',
      level: 'fail',
      title: `vars.${name} holds a secret (${evidence(finding)}): vars are plain text`,
      where: `${file}:${line}`,
      next: `Take it out of vars, then: npx wrangler secret put ${name}${target}. ${revoke(finding)}`,
    });
  }
  const elsewhere = (await detector({}).scan(text)).filter(
    (finding) => finding.class === 'secret' && !checks.some(({ where }) => where === `${file}:${finding.line}`),
  );
  for (const finding of elsewhere) {
    const title = `a secret stands in the configuration (${finding.rule}, ${finding.preview})`;
    const where = `${file}:${finding.line}`;
    checks.push({ area: 'wrangler', id: 'wrangler-secret', level: 'fail', title, where, next: revoke(finding) });
  }
  if (checks.length === 0)
    checks.push({ area: 'wrangler', id: 'wrangler', level: 'pass', title: `${file}: no secret` });
  return checks;
}

interface Variable {
  readonly name: string;
  readonly value: string;
}

/** The texts under `vars`, those of each environment too; nested ones by the path of their names. */
function* variables(raw: unknown): Generator<Variable & { environment?: string }> {
  const { vars, env } = record(raw);
  yield* texts(vars);
  for (const [environment, own] of Object.entries(record(env))) {
    for (const one of texts(record(own)['vars'])) yield { ...one, environment };
  }
}

function* texts(raw: unknown, path = ''): Generator<Variable> {
  for (const [key, value] of Object.entries(record(raw))) {
    const name = path === '' ? key : `${path}.${key}`;
    if (typeof value === 'string') yield { name, value };
    else yield* texts(value, name);
  }
}

const record = (raw: unknown): Record<string, unknown> =>
  typeof raw === 'object' && raw !== null ? (raw as Record<string, unknown>) : {};
