// Looks for keys in pasted text and in files. Everything happens in this tab; the detector's Wasm does the looking.

import { useCallback, useEffect, useRef, useState } from 'react';
import { Scanner, type Finding } from 'tidegate';

import { problemOf, type Problem } from './problem';

/** One text or file, looked through. */
export interface Scanned {
  id: number;
  name: string;
  bytes: number;
  findings: Finding[];
  problem?: Problem;
}

export interface Progress {
  name: string;
  /** Of how many files the how manieth, from 1. */
  index: number;
  count: number;
  done: number;
  total: number;
}

const PASTED = 'Your text';
/** How long the typing must rest. */
const REST_MS = 150;
const SHOW_MS = 50;

export function useKeyScan(text: string) {
  const [files, setFiles] = useState<Scanned[]>([]);
  const [pasted, setPasted] = useState<Scanned | null>(null);
  const [progress, setProgress] = useState<Progress | null>(null);
  const running = useRef<AbortController | null>(null);
  const ids = useRef(0);

  useEffect(() => {
    if (text.trim() === '') {
      setPasted(null);
      return undefined;
    }
    let current = true;
    const timer = setTimeout(() => {
      const bytes = new TextEncoder().encode(text);
      const scanned = scanAll([bytes]).then((findings) => ({ findings }), failed);
      void scanned.then((result) => {
        if (current) setPasted({ id: 0, name: PASTED, bytes: bytes.length, ...result });
      });
    }, REST_MS);
    return () => {
      current = false;
      clearTimeout(timer);
    };
  }, [text]);

  useEffect(() => () => running.current?.abort(), []);

  const scanFiles = useCallback(async (chosen: File[]) => {
    if (chosen.length === 0) return;
    running.current?.abort();
    const control = new AbortController();
    running.current = control;
    for (const [at, file] of chosen.entries()) {
      let shown = 0;
      const tell = (done: number) => {
        if (performance.now() - shown < SHOW_MS) return;
        shown = performance.now();
        setProgress({ name: file.name, index: at + 1, count: chosen.length, done, total: file.size });
      };
      tell(0);
      const result = await scanAll(chunksOf(file, control.signal, tell)).then((findings) => ({ findings }), failed);
      if (control.signal.aborted) break;
      ids.current += 1;
      const scanned = { id: ids.current, name: file.name, bytes: file.size, ...result };
      setFiles((before) => [scanned, ...before.filter(({ name }) => name !== file.name)]);
    }
    if (running.current === control) setProgress(null);
  }, []);

  const stop = useCallback(() => {
    running.current?.abort();
    setProgress(null);
  }, []);
  const clear = useCallback(() => {
    stop();
    setFiles([]);
  }, [stop]);

  return { scanned: pasted ? [pasted, ...files] : files, progress, scanFiles, stop, clear };
}

const failed = (error: unknown) => ({ findings: [], problem: problemOf(error) });

async function scanAll(chunks: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): Promise<Finding[]> {
  const scanner = await Scanner.create({ publishable: true });
  const findings: Finding[] = [];
  for await (const chunk of chunks) findings.push(...scanner.push(chunk));
  return [...findings, ...scanner.finish()];
}

async function* chunksOf(file: File, signal: AbortSignal, tell: (done: number) => void) {
  const reader = file.stream().getReader();
  try {
    for (let done = 0; !signal.aborted;) {
      const { value } = await reader.read();
      if (!value) return;
      yield value;
      done += value.length;
      tell(done);
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
