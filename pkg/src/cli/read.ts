// How a file is read: whole if it is small, in pieces if it is big, not at all if it is no text.

import { createReadStream } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

import { audit, type AuditFile } from '../audit/audit.js';
import type { Detector } from '../audit/detector.js';
import type { Located } from '../audit/located.js';

/** Beyond this a file is streamed: no source map and no allow comment is looked for in it. */
const WHOLE = 32 * 1024 * 1024;
const PIECE = 1024 * 1024;
/** As far as git looks for a NUL. */
const SNIFFED = 8000;

export interface Read {
  readonly findings: Located[];
  readonly bytes: number;
  /** Nothing was looked for: the file is no text. */
  readonly binary?: boolean;
}

export interface ReadOptions {
  /** Look into what is no text, too. */
  readonly binary: boolean;
  readonly progress?: (bytes: number) => void;
}

/** Scans one file. `file` is what is told of it and how its map is found. */
export async function readAndScan(
  detector: Detector,
  path: string,
  file: Omit<AuditFile, 'content'>,
  { binary, progress = () => undefined }: ReadOptions,
): Promise<Read> {
  const handle = await open(path);
  let size: number;
  let head: Uint8Array;
  try {
    ({ size } = await handle.stat());
    const { buffer, bytesRead } = await handle.read(new Uint8Array(SNIFFED), 0, SNIFFED, 0);
    head = buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
  const wide = encodingOf(head);
  if (!wide && !binary && head.includes(0)) return { findings: [], bytes: 0, binary: true };
  if (size > WHOLE)
    return streamed(detector, createReadStream(path, { highWaterMark: PIECE }), file.path, progress, wide);
  const bytes = await readFile(path);
  const content = wide ? new TextDecoder(wide).decode(bytes) : bytes;
  const findings = await audit(detector, { ...file, content });
  progress(bytes.length);
  return { findings, bytes: bytes.length };
}

/** Scans what comes in pieces. */
export async function streamed(
  detector: Detector,
  chunks: AsyncIterable<Uint8Array>,
  path: string,
  progress: (bytes: number) => void,
  wide?: string,
): Promise<Read> {
  const scanner = await detector.stream();
  const decoder = wide === undefined ? undefined : new TextDecoder(wide);
  const encoder = new TextEncoder();
  const findings: Located[] = [];
  let bytes = 0;
  for await (const chunk of chunks) {
    const piece = decoder ? encoder.encode(decoder.decode(chunk, { stream: true })) : chunk;
    for (const finding of scanner.push(piece)) findings.push({ ...finding, path });
    bytes += chunk.length;
    progress(bytes);
  }
  for (const finding of scanner.finish()) findings.push({ ...finding, path });
  return { findings, bytes };
}

/** UTF-16 is full of NULs and yet text; it says so at its start. */
const encodingOf = ([first, second]: Uint8Array): string | undefined =>
  first === 0xff && second === 0xfe ? 'utf-16le' : first === 0xfe && second === 0xff ? 'utf-16be' : undefined;

/** The map that a file names, else the one beside it. Only files below or beside are read, never addresses. */
export async function mapBeside(
  path: string,
  url: string | undefined,
): Promise<{ text: string; path: string } | undefined> {
  const named =
    url !== undefined && !/^[a-z][a-z0-9+.-]*:|^\/\//iu.test(url) ? decoded(url.replace(/[?#].*$/u, '')) : '';
  for (const candidate of named === '' ? [`${path}.map`] : [resolve(dirname(path), named), `${path}.map`]) {
    const text = candidate.endsWith('.map') ? await readFile(candidate, 'utf8').catch(() => undefined) : undefined;
    if (text !== undefined) return { text, path: candidate };
  }
  return undefined;
}

const decoded = (url: string): string => {
  try {
    return decodeURIComponent(url);
  } catch {
    return url;
  }
};
