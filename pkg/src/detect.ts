// Finds keys in texts, files and streams. What a key looks like, and every decision, is in the Wasm.

import { fieldsOf, invalid, isList, knownOf, textAt } from './errors.js';
import type { Glue } from './platform.js';
import { isBytes } from './vault/bytes.js';

/** What only the large build has. */
type AllGlue = typeof import('../wasm/tidegate-all.js');

/** What it means that a key lies open: a leak; depends on its use, or half of a pair; made to be seen. */
export type KeyClass = 'secret' | 'ambiguous' | 'publishable';

/** How bad that is. */
export type Severity = 'critical' | 'high' | 'medium' | 'low' | 'info';

/** How a key was written where it was found. `concat` is `"a" + "b"`, `hex` is `\x67`, `json` are escapes like `\u0067`. */
export type KeyEncoding = 'plain' | 'concat' | 'json' | 'percent' | 'hex' | 'base64';

/** One key in a text. It never carries the key. */
export interface Finding {
  /** The kind of key: an `id` of `rules()`. */
  rule: string;
  provider: string;
  class: KeyClass;
  severity: Severity;
  encoding: KeyEncoding;
  /** First byte, from 0, in the text as UTF-8. */
  start: number;
  /** Past the last byte. */
  end: number;
  /** `start` in UTF-16 units: an index into a JavaScript string. */
  startUtf16: number;
  endUtf16: number;
  /** From 1. */
  line: number;
  /** From 1, in UTF-16 units. */
  column: number;
  /** The key's prefix, and of longer keys the last four characters. */
  preview: string;
  /** 16 hexadecimal digits of an HMAC-SHA-256 of the key: the same for the same key wherever it stands. */
  fingerprint: string;
  /** What to do, in a sentence. */
  advice: string;
  /** Where the provider tells about such keys. */
  docs: string;
}

/** One kind of key. */
export interface KeyRule {
  id: string;
  provider: string;
  class: KeyClass;
  severity: Severity;
  advice: string;
  docs: string;
}

/** A variable whose value must not turn up. */
export interface ScanValue {
  /** Tells whether the value is a secret: `API_KEY`, `dbPassword`, `SESSION_SECRET`. */
  name: string;
  value: string;
  /** The file, and the line, that sets it; told with a finding. */
  place?: string;
}

/** What a scan is given beside the text. */
export interface ScanOptions {
  /**
   * Keys the fingerprints. Without one they are keyed with a random number of this process, and another process gives
   * other ones: give your own for baselines.
   */
  key?: Uint8Array | undefined;
  /** Whether publishable keys are told too. Default `true`. */
  publishable?: boolean | undefined;
  /**
   * Variables, for example those of an env file. The values of those that are secrets by their names are looked for in
   * every form, so that secrets without a shape are found too; what is too short or too common to be a secret is not.
   * Their findings have the rule `env-value`, and the variable's name and place as `preview`. Loads the large Wasm.
   */
  values?: readonly ScanValue[] | undefined;
}

/** Bytes that go into the Wasm at once: its memory never shrinks. */
const PIECE = 1 << 20;

let random: Uint8Array | undefined;
const ownKey = () => (random ??= crypto.getRandomValues(new Uint8Array(32)));
const encoder = /* @__PURE__ */ new TextEncoder();
/** @throws `invalid_request`, which names the place: the Wasm's glue looks into no argument. */
function bytesOf(input: string | Uint8Array, path = 'input'): Uint8Array {
  if (typeof input === 'string') return encoder.encode(input);
  if (!isBytes(input)) throw invalid(path, 'must be a text or bytes');
  return input;
}
/** What keys fingerprints: bytes, or what this process does. */
function keyOf(key: Uint8Array | null | undefined): Uint8Array {
  if (key != null && !isBytes(key)) throw invalid('key', 'must be bytes');
  return key ?? ownKey();
}
const NOTHING = /* @__PURE__ */ new Uint8Array();

function flagOf(path: string, value: boolean | null | undefined, otherwise: boolean): boolean {
  if (value != null && typeof value !== 'boolean') throw invalid(path, 'must be true or false');
  return value ?? otherwise;
}

/** What is in the Wasm, until it is given back: its memory is another's then. */
function still<T>(what: string, own: T | undefined): T {
  if (!own) throw invalid(what, 'was freed: make another');
  return own;
}

/** Scans one text that comes in chunks, in constant memory: `await Scanner.create(options)`. */
export class Scanner {
  #own: Pick<InstanceType<Glue['KeyScanner']>, 'push' | 'finish' | 'free'> | undefined;
  /** How many variables of `values` are looked for. */
  readonly searched: number = 0;

  /** @internal */
  constructor(glue: Glue, { key, publishable, values }: ScanOptions) {
    const [own, told] = [keyOf(key), flagOf('publishable', publishable, true)];
    if (!values?.length) {
      this.#own = new glue.KeyScanner(own, told);
      return;
    }
    const read = values.map((given, at) => {
      const { name, value, place } = fieldsOf(`values.${at}`, given);
      const path = `values.${at}.`;
      return [
        textAt(`${path}name`, name!),
        textAt(`${path}place`, place ?? ''),
        bytesOf(value!, `${path}value`),
      ] as const;
    });
    const all = new (glue as AllGlue).KeyValues();
    for (const one of read) if (all.add(...one)) this.searched += 1;
    this.#own = all.scanner(own, told);
  }

  /**
   * Takes a chunk: a text, or bytes of UTF-8 that may end within a character. Gives the findings that can no longer
   * change; a key may be split over any number of chunks.
   */
  push(chunk: string | Uint8Array): Finding[] {
    const own = still('scanner', this.#own);
    const bytes = bytesOf(chunk);
    if (bytes.length <= PIECE) return told(own.push(bytes));
    const found: Finding[] = [];
    for (let at = 0; at < bytes.length; at += PIECE) found.push(...told(own.push(bytes.subarray(at, at + PIECE))));
    return found;
  }

  /** The text is at its end: gives the rest. The scanner may then take another text. */
  finish(): Finding[] {
    return told(still('scanner', this.#own).finish(NOTHING));
  }

  /** Gives its memory back ahead of the garbage collector. It cannot be used afterwards. */
  free(): void {
    this.#own?.free();
    this.#own = undefined;
  }
}

/** How `redact` goes about it. */
export interface RedactOptions {
  /** Keys the fingerprints, as in `ScanOptions`. */
  key?: Uint8Array | undefined;
  /** Whether the keys are kept, so that they can be put back into an answer. Default `false`: for logs. */
  reversible?: boolean | undefined;
}

/**
 * A text with `[REDACTED:<rule>:<fingerprint>]` in place of each key. Publishable keys stay. One of a `reversible`
 * redaction puts the keys back: into an answer that came whole, by `restore`, or piece by piece by `push` and `finish`.
 */
export class Redaction {
  readonly text: string;
  /** With their places in the text before; where one key stood in another's way, they may overlap. */
  readonly findings: Finding[];
  #own: InstanceType<Glue['KeyRedaction']> | undefined;

  /** @internal */
  constructor(glue: Glue, text: string, { key, reversible }: RedactOptions) {
    const own = new glue.KeyRedaction(textAt('text', text), keyOf(key), flagOf('reversible', reversible, false));
    this.text = own.text();
    this.findings = told(own.findings());
    this.#own = own;
  }

  /** Puts the keys back. Spans of `findings` are those of the text before. */
  restore(text: string): string {
    return this.push(text) + this.finish();
  }

  /** Takes a piece of a streamed answer; a mark may be split over any number of pieces. */
  push(piece: string): string {
    return still('redaction', this.#own).push(textAt('text', piece));
  }

  /** The answer is at its end: gives what was held back. */
  finish(): string {
    return still('redaction', this.#own).finish();
  }

  /** Forgets the keys. It cannot be used afterwards. */
  free(): void {
    this.#own?.free();
    this.#own = undefined;
  }
}

const SCAN = { key: 0, publishable: 0, values: 0 } as const;
const REDACT = { key: 0, reversible: 0 } as const;

const told = (found: unknown) => (found ?? []) as Finding[];

/** @internal What the entries export, with the Wasm that they load. */
export function detector(load: (all: boolean) => Promise<Glue>) {
  const create = async (given: ScanOptions = {}) => {
    const options = knownOf('options', given, SCAN);
    const { values } = options;
    if (values != null && !isList(values)) throw invalid('values', 'must be a list');
    return new Scanner(await load((values?.length ?? 0) > 0), options);
  };
  return {
    create,
    async scan(input: string | Uint8Array, options: ScanOptions = {}): Promise<Finding[]> {
      const scanner = await create(options);
      try {
        return [...scanner.push(input), ...scanner.finish()];
      } finally {
        scanner.free();
      }
    },
    async redact(text: string, options: RedactOptions = {}): Promise<Redaction> {
      return new Redaction(await load(false), text, knownOf('options', options, REDACT));
    },
    async rules(): Promise<KeyRule[]> {
      return (await load(false)).keyRules() as KeyRule[];
    },
  };
}
