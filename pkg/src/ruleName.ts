// How rules are called where people read: by the command, the Vite plugin and the app.

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

const KINDS = ['dsn', 'jwt', 'key', 'secret', 'session', 'token', 'value', 'webhook'];

/** `Groq key`: the rule, in words. */
export function ruleName(rule: string): string {
  const words = rule.split('-');
  if (!words.some((word) => KINDS.includes(word))) words.push('key');
  const [first = '', ...rest] = words;
  const named = OWN[first] ?? first.charAt(0).toUpperCase() + first.slice(1);
  return [named, ...rest.map((word) => OWN[word] ?? word)].join(' ');
}
