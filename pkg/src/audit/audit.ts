// One published file, whole: itself, the sources in its map, and where in them each finding comes from.

import type { Finding } from '../node.js';
import { allowance } from './allow.js';
import type { Detector } from './detector.js';
import type { Located } from './located.js';
import { inlineMap, mapUrl, readMap, type SourceMap } from './maps.js';

export interface AuditFile {
  /** As it is told. */
  readonly path: string;
  /** Where it lies, absolute, if that is not what is told: the sources of its map are relative to it. */
  readonly from?: string;
  readonly content: string | Uint8Array;
  /** The file's map, if it lies beside it: its text and path. `url` is what the file says. */
  readonly map?: (url: string | undefined) => Promise<{ text: string; path: string } | undefined>;
  /** Turns the path that a map gives into the one that is told. */
  readonly show?: (source: string) => string;
  /** Whether comments in this file may allow a finding: in sources, not in what a build made. */
  readonly comments?: boolean;
}

const MAPPED = /\.(?:[cm]?jsx?|css)$/u;
const same = (source: string): string => source;

/** What is found in a file, each with its place. */
export async function audit(detector: Detector, file: AuditFile): Promise<Located[]> {
  const { path, from = path, show = same } = file;
  if (path.endsWith('.map')) {
    const map = readMap(textOf(file), from);
    if (map) return inMap(detector, map, path, show);
  }
  const findings = await detector.scan(file.content);
  const url = MAPPED.test(path) ? mapUrl(textOf(file)) : undefined;
  const inline = url === undefined ? undefined : inlineMap(url);
  const carried = inline === undefined ? undefined : readMap(inline, from);
  const located = findings.length > 0 ? await placed(file, findings, url, carried) : [];
  return carried ? [...located, ...(await inMap(detector, carried, path, show))] : located;
}

async function placed(file: AuditFile, findings: Finding[], url: string | undefined, carried: SourceMap | undefined) {
  const { path, show = same } = file;
  const text = textOf(file);
  let map = carried;
  if (!map && MAPPED.test(path)) {
    const beside = await file.map?.(url);
    map = beside && readMap(beside.text, beside.path);
  }
  const lines = file.comments === true ? text.split('\n') : [];
  return findings.map((finding): Located => {
    const column = finding.startUtf16 - (text.lastIndexOf('\n', finding.startUtf16 - 1) + 1);
    const origin = map?.origin(finding.line, column);
    const said = allowance(lines, finding.line, finding.rule);
    return {
      ...finding,
      path,
      ...(origin ? { source: { ...origin, path: show(origin.path) } } : {}),
      ...(typeof said === 'string' ? { note: said } : said ? { pardon: said } : {}),
    };
  });
}

/** The contents of the sources, told by their own lines, since a map is one line; then what else it says. */
async function inMap(detector: Detector, map: SourceMap, path: string, show: (source: string) => string) {
  const located: Located[] = [];
  for (const source of map.sources) {
    for (const finding of await detector.scan(source.content)) {
      const { line, column } = finding;
      located.push({ ...finding, path, line: 1, column: 1, source: { path: show(source.path), line, column } });
    }
  }
  for (const finding of await detector.scan(map.rest)) located.push({ ...finding, path, line: 1, column: 1 });
  return located;
}

const texts = new WeakMap<AuditFile, string>();
function textOf(file: AuditFile): string {
  if (typeof file.content === 'string') return file.content;
  let text = texts.get(file);
  if (text === undefined) texts.set(file, (text = new TextDecoder('utf-8', { ignoreBOM: true }).decode(file.content)));
  return text;
}
