// Which versions were measured, from the packages as installed.
import { readFileSync } from 'node:fs';

const version = (name) =>
  JSON.parse(readFileSync(new URL(`../node_modules/${name}/package.json`, import.meta.url), 'utf8')).version;

/** Row → the versions of what it runs. */
export function versions() {
  const cockatiel = version('cockatiel');
  const ai = `ai ${version('ai')}, provider ${version('@ai-sdk/openai-compatible')}`;
  return {
    cockatiel,
    openai: version('openai'),
    'ai-sdk': ai,
    'eventsource-parser': version('eventsource-parser'),
    portkey: version('@portkey-ai/gateway'),
    'lru-cache': version('lru-cache'),
    'cockatiel-stack': ['cockatiel', 'p-retry', 'lru-cache', 'idb'].map((name) => version(name)).join(' '),
    tidegate: version('tidegate'),
    'tidegate-chromium': version('tidegate'),
    'tidegate-dialects': version('tidegate'),
    secretlint: version('@secretlint/core'),
    'tidegate-leased': version('tidegate'),
    'tidegate-chat': version('tidegate'),
    'tidegate-chromium-indexeddb': version('tidegate'),
    'tidegate-workerd-object': version('tidegate'),
  };
}
