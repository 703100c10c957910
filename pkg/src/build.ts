// Which of the two builds of the gateway a configuration needs. The small one speaks chat completions only, which is all
// that Groq, OpenRouter and most others do; it is a fraction of the bytes.

import type { TidegateConfig } from './types.js';

/** Providers whose own clients speak another dialect. */
const OTHERS = ['anthropic', 'google', 'openai'];

/** Whether `config` needs every dialect. What is no configuration is for the gateway to refuse. */
export function needsAll(config: TidegateConfig): boolean {
  // Its machine is in the large one.
  if (config.queue !== undefined) return true;
  if (config.dialects !== undefined) return config.dialects === 'all';
  const { providers, targets } = config;
  const speaksOther = (id: string) => {
    const own = providers?.[id]?.dialect;
    return own === undefined ? OTHERS.includes(id) : own !== 'chat';
  };
  return Array.isArray(targets) && targets.some((target) => speaksOther(target?.provider));
}
