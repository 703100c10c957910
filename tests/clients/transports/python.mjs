// The Python clients: a process of their own that takes one task a line.

import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { SCHEMA, TOOL } from '../clients/questions.mjs';

const HERE = fileURLToPath(new URL('../python/', import.meta.url));
/** Made by scripts/setup.sh. */
const PYTHON = join(process.env.TIDEGATE_VENV || join(HERE, '.venv'), 'bin', 'python');
export const hasPython = existsSync(PYTHON);

const client = (provider, path, model) => ({ provider, path, model, obeys: true });
/** @type {Record<string, import('../clients/questions.mjs').Client>} */
export const PYTHON_CLIENTS = {
  'python openai': client('openai', '/v1', 'gpt-4.1-mini'),
  'python openai responses': client('openai', '/v1', 'gpt-4.1-mini'),
  'python anthropic': client('anthropic', '', 'claude-sonnet-5'),
};

/** Starts it; `run` does one task after the other. */
export function startPython() {
  const child = spawn(PYTHON, [join(HERE, 'run.py')], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  return {
    async run(task) {
      const { path } = PYTHON_CLIENTS[task.client];
      child.stdin.write(`${JSON.stringify({ ...task, path, tool: TOOL, schema: SCHEMA })}\n`);
      const { value, done } = await lines.next();
      if (done) throw new Error('the Python process ended');
      return JSON.parse(value);
    },
    stop: () => void child.stdin.end(),
  };
}
