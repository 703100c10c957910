// From a place in a built file back to the source, and the sources that a map carries.

import { originalPositionFor, TraceMap } from './vendor.js';
import type { Origin } from './located.js';

/** A source with its content, as `sourcesContent` has it. */
export interface CarriedSource {
  readonly path: string;
  readonly content: string;
}

export interface SourceMap {
  /** `line` from 1, `column` in UTF-16 units from 0. */
  origin(line: number, column: number): Origin | undefined;
  readonly sources: readonly CarriedSource[];
  /** The map's text without the contents of the sources. */
  readonly rest: string;
}

const MARK = ' sourceMappingURL=';
const DATA = /^data:application\/json[^,]{0,100}?(;base64)?,/u;

/** What the comment `//# sourceMappingURL=` at the end of a file says. */
export function mapUrl(text: string): string | undefined {
  const at = text.lastIndexOf(MARK);
  if (at < 0 || !/^\/[/*][#@]$/u.test(text.slice(Math.max(0, at - 3), at))) return undefined;
  const rest = text.slice(at + MARK.length).trimEnd();
  const url = rest.endsWith('*/') ? rest.slice(0, -2).trimEnd() : rest;
  return url === '' || /\s/u.test(url) ? undefined : url;
}

/** The map that stands in the file itself. */
export function inlineMap(url: string): string | undefined {
  const head = DATA.exec(url);
  if (!head) return undefined;
  const body = url.slice(head[0].length);
  try {
    if (head[1] === undefined) return decodeURIComponent(body);
    return new TextDecoder().decode(Uint8Array.from(atob(body), (char) => char.charCodeAt(0)));
  } catch {
    return undefined; // not a map; the file itself is scanned all the same
  }
}

/**
 * Reads a map. `path` is where it lies: its sources are told relative to that. Nothing for what is no source map.
 */
export function readMap(json: string, path: string): SourceMap | undefined {
  let raw: unknown;
  try {
    raw = JSON.parse(json.replace(/^\)\]\}'[^\n]*\n/u, ''));
  } catch {
    return undefined;
  }
  if (!isMap(raw)) return undefined;
  let trace: TraceMap;
  try {
    trace = new TraceMap(raw as unknown as ConstructorParameters<typeof TraceMap>[0], path);
  } catch {
    return undefined;
  }
  const contents = Array.isArray(raw['sourcesContent']) ? raw['sourcesContent'] : [];
  const sources = contents.flatMap((content: unknown, index) =>
    typeof content === 'string' ? [{ path: trace.resolvedSources[index] ?? `source ${index}`, content }] : [],
  );
  return {
    origin(line, column) {
      const { source, line: at, column: from } = originalPositionFor(trace, { line, column: Math.max(0, column) });
      return source === null || at === null ? undefined : { path: source, line: at, column: (from ?? 0) + 1 };
    },
    sources,
    rest: JSON.stringify({ ...raw, sourcesContent: undefined, mappings: undefined }),
  };
}

function isMap(raw: unknown): raw is Record<string, unknown> {
  return (
    typeof raw === 'object' && raw !== null && 'version' in raw && 'mappings' in raw && typeof raw.mappings === 'string'
  );
}
