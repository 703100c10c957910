// Everything that turns a value into words. The page is in English, so its numbers are too.

const LOCALE = 'en-US';
const count = new Intl.NumberFormat(LOCALE);
const time = new Intl.DateTimeFormat(LOCALE, { hour: '2-digit', minute: '2-digit', second: '2-digit', hour12: false });
const dayTime = new Intl.DateTimeFormat(LOCALE, {
  weekday: 'short',
  hour: '2-digit',
  minute: '2-digit',
  hour12: false,
  timeZoneName: 'short',
});
const date = new Intl.DateTimeFormat(LOCALE, { dateStyle: 'medium' });

const dollars = (digits: number) =>
  new Intl.NumberFormat(LOCALE, {
    style: 'currency',
    currency: 'USD',
    minimumFractionDigits: 2,
    maximumFractionDigits: digits,
  });
const whole = dollars(4);
const small = dollars(9);

/** Below a cent every digit that we have, down to a nano-dollar. */
export const money = (nanoUsd: number) => (nanoUsd >= 10_000_000 ? whole : small).format(nanoUsd / 1e9);

const brief = new Intl.NumberFormat(LOCALE, { style: 'currency', currency: 'USD', maximumSignificantDigits: 3 });

/** For a headline: below a cent the first three digits that say something. */
export const shortMoney = (nanoUsd: number) =>
  nanoUsd > 0 && nanoUsd < 10_000_000 ? brief.format(nanoUsd / 1e9) : money(nanoUsd);

export const number = (value: number) => count.format(value);
export const clock = (at: number) => time.format(at);
export const moment = (at: number) => dayTime.format(at);
export const day = (at: number) => date.format(at);

/** `840 ms`, `3.2 s`, `4 min 5 s`, `7 h 12 min`. */
export function duration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 10_000) return `${(ms / 1000).toFixed(1).replace(/\.0$/, '')} s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  const pair = (big: number, unit: string, rest: number, small: string) =>
    rest > 0 ? `${big} ${unit} ${rest} ${small}` : `${big} ${unit}`;
  if (minutes < 60) return pair(minutes, 'min', seconds % 60, 's');
  return pair(Math.floor(minutes / 60), 'h', minutes % 60, 'min');
}

/** Counts down in whole seconds, never to zero before the end. */
export const remaining = (until: number, now: number) => duration(Math.max(1, Math.ceil((until - now) / 1000)) * 1000);

export const plural = (value: number, one: string, many = `${one}s`) => `${number(value)} ${value === 1 ? one : many}`;

const PROVIDERS: Record<string, string> = { groq: 'Groq', openrouter: 'OpenRouter' };

export const providerName = (provider: string) => PROVIDERS[provider] ?? provider;

/** `groq/openai/gpt-oss-20b` in its two parts. */
export function targetParts(target: string): { provider: string; model: string } {
  const slash = target.indexOf('/');
  return slash < 0
    ? { provider: target, model: '' }
    : { provider: providerName(target.slice(0, slash)), model: target.slice(slash + 1) };
}
