// What a scan has to tell, whatever the format.

import type { FailOn, Located } from '../audit/located.js';

export interface Summary {
  readonly files: number;
  readonly bytes: number;
  /** Files that are no text. */
  readonly binary: number;
  readonly elapsedMs: number;
}

export interface Report {
  /** In order, pardoned ones included. */
  readonly findings: readonly Located[];
  readonly summary: Summary;
  /** What else a person should know, such as a file that could not be read. */
  readonly notes: readonly string[];
  readonly failOn: FailOn;
  readonly version: string;
}

/** Words of rules that are written in a way of their own. */
const OWN: Readonly<Record<string, string>> = {
  api: 'API',
  aws: 'AWS',
  bedrock: 'Bedrock',
  deepseek: 'DeepSeek',
  dsn: 'DSN',
  e2b: 'E2B',
  elevenlabs: 'ElevenLabs',
  face: 'Face',
  github: 'GitHub',
  gitlab: 'GitLab',
  id: 'ID',
  jwt: 'JWT',
  langsmith: 'LangSmith',
  npm: 'npm',
  nvidia: 'NVIDIA',
  oauth: 'OAuth',
  openai: 'OpenAI',
  openrouter: 'OpenRouter',
  posthog: 'PostHog',
  sendgrid: 'SendGrid',
  xai: 'xAI',
};

/** A finding's name: the rule, in words. */
export function titleOf({ rule }: { readonly rule: string }): string {
  const words = rule.split('-');
  const kinds = ['dsn', 'jwt', 'key', 'secret', 'session', 'token', 'value', 'webhook'];
  if (!words.some((word) => kinds.includes(word))) words.push('key');
  const [first = '', ...rest] = words;
  const named = OWN[first] ?? first.charAt(0).toUpperCase() + first.slice(1);
  return [named, ...rest.map((word) => OWN[word] ?? word)].join(' ');
}
