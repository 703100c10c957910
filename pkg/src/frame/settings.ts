// `frame.json`: who may embed the frame, and the gateway's configuration. None of it comes from the app, because an app
// that named a provider's address would name where its key goes.

import { misplaced } from '../isolation/place.js';
import type { Bounds } from '../isolation/meter.js';
import type { TidegateConfig } from '../types.js';

export interface FrameSettings {
  /** Origins of apps, exactly as browsers write them: `https://app.example`. */
  origins: string[];
  bounds: Bounds;
  config: TidegateConfig;
}

const DEFAULTS: Bounds = { requestsPerMinute: 60, bytesPerMinute: 8_000_000, callsPerMinute: 1_200 };

/** @throws `config_invalid`, naming the field. */
export function settingsOf(value: unknown): FrameSettings {
  const fields: { path: string; problem: string }[] = [];
  const given = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const { origins = [], config = {}, ...numbers } = given;
  const isOrigin = (one: unknown) => typeof one === 'string' && URL.canParse(one) && new URL(one).origin === one;
  if (!Array.isArray(origins) || !origins.every(isOrigin)) {
    fields.push({ path: 'origins', problem: "must list origins, each like 'https://app.example'" });
  }
  if (typeof config !== 'object' || config === null) fields.push({ path: 'config', problem: 'must be an object' });
  const bounds = { ...DEFAULTS };
  for (const [name, bound] of Object.entries(numbers)) {
    if (!Object.hasOwn(DEFAULTS, name)) fields.push({ path: name, problem: 'is not known' });
    else if (!Number.isSafeInteger(bound) || (bound as number) < 1) {
      fields.push({ path: name, problem: 'must be a whole number from 1' });
    } else bounds[name as keyof Bounds] = bound as number;
  }
  if (fields.length > 0) throw misplaced(fields);
  return { origins: origins as string[], bounds, config: config as TidegateConfig };
}
