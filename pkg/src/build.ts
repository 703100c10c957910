// Which build of the gateway a configuration needs. The small one speaks chat completions only, which is all that Groq,
// OpenRouter and most others do; it is a fraction of the bytes.

import type { TidegateConfig } from './types.js';

/** Providers whose own clients speak another dialect. */
const OTHERS = ['anthropic', 'google', 'openai'];

/** Chat completions alone; every dialect; every dialect and the queue, and what only a Worker needs. */
export type Build = 'chat' | 'dialects' | 'all';

/** The smallest build for `config`. What is no configuration is for the gateway to refuse. */
export function buildFor(config: TidegateConfig): Build {
  if (config.queue !== undefined) return 'all';
  if (config.dialects !== undefined) return config.dialects === 'all' ? 'dialects' : 'chat';
  const { providers, targets } = config;
  const speaksOther = (id: string) => {
    const own = providers?.[id]?.dialect;
    return own === undefined ? OTHERS.includes(id) : own !== 'chat';
  };
  return Array.isArray(targets) && targets.some((target) => speaksOther(target?.provider)) ? 'dialects' : 'chat';
}
