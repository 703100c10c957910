#!/usr/bin/env node
// The command `tidegate`.

import { readFileSync } from 'node:fs';
import process from 'node:process';

import { SettingError } from '../audit/settings.js';
import { SCAN_USAGE, scanArgs, USAGE, UsageError, VALIDATE_USAGE, validateArgs } from './args.js';
import { scanCommand } from './scan.js';
import { validateCommand } from './validate.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
  version: string;
};

async function run([command, ...rest]: readonly string[]): Promise<number> {
  const help = (text: string) => (process.stdout.write(text), 0);
  switch (command) {
    case 'scan': {
      const args = scanArgs(rest);
      return args === 'help' ? help(SCAN_USAGE) : scanCommand(args, version);
    }
    case 'validate': {
      const args = validateArgs(rest);
      return args === 'help' ? help(VALIDATE_USAGE) : validateCommand(args, version);
    }
    case undefined:
    case 'help':
    case '--help':
    case '-h':
      return help(USAGE);
    case '--version':
    case '-v':
      return help(`${version}\n`);
    default:
      throw new UsageError(`${command} is no command of tidegate`);
  }
}

// A reader that has seen enough, such as `head`, is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error;
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const usage = error instanceof UsageError || error instanceof SettingError;
  const said = error instanceof Error ? error.message : String(error);
  process.stderr.write(`tidegate: ${said}\n${usage ? 'tidegate --help says what there is.\n' : ''}`);
  process.exitCode = 2;
}
