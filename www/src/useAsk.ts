import { useCallback, useRef, useState } from 'react';
import type { ChatMeta, ChatRequest, Tidegate } from 'tidegate';

import { problemOf, type Problem } from './problem';
import { isEmpty, NOTHING, replyOf, withChunk, type Reply } from './reply';

/** What is asked; the same question can be asked again. */
export interface Question {
  request: ChatRequest;
  stream: boolean;
  skipCache: boolean;
}

/** `interrupted`: cut after the first output, so that nobody else was asked. */
export type Phase = 'waiting' | 'streaming' | 'done' | 'stopped' | 'interrupted';

/** One answer, from the moment of sending on. */
export interface Asked {
  phase: Phase;
  stream: boolean;
  reply: Reply;
  /** When it was sent, on the clock of `performance.now()`. */
  sentAt: number;
  /** From sending to the first text, reasoning or tool call that came here. */
  firstMs?: number;
  totalMs?: number;
  /** Who is being asked, as the gateway's events tell it. */
  target?: string;
  /** What the gateway did; known at the end. */
  account?: ChatMeta | undefined;
  /** Why it was interrupted. */
  problem?: Problem;
}

export type Outcome = { kind: 'answer'; asked: Asked } | { kind: 'problem'; problem: Problem };

const account = (result: Promise<ChatMeta>) => result.catch(() => undefined);

/** Asks one question at a time and follows its answer. */
export function useAsk(gate: Tidegate, settled: () => void) {
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const [running, setRunning] = useState<AbortController | null>(null);
  const last = useRef<Question | null>(null);

  const ask = useCallback(
    async (question: Question) => {
      last.current = question;
      const controller = new AbortController();
      const { signal } = controller;
      const options = { signal, cache: { skipRead: question.skipCache } };
      let asked: Asked = {
        phase: 'waiting',
        stream: question.stream,
        reply: NOTHING,
        sentAt: performance.now(),
      };
      const passed = () => performance.now() - asked.sentAt;
      let frame = 0;
      // Pieces come faster than screens are drawn.
      const show = (next: Partial<Asked>) => {
        asked = { ...asked, ...next };
        frame ||= requestAnimationFrame(() => {
          frame = 0;
          setOutcome({ kind: 'answer', asked });
        });
      };
      const end = (last: Outcome) => {
        cancelAnimationFrame(frame);
        setOutcome(last);
      };
      // One question at a time, so these are of this one.
      const off = gate.on('attempt-start', ({ target }) => show({ target }));
      setRunning(controller);
      setOutcome({ kind: 'answer', asked });
      try {
        if (question.stream) {
          const stream = await gate.chat({ ...question.request, stream: true }, options);
          try {
            for await (const chunk of stream) {
              const reply = withChunk(asked.reply, chunk);
              if (isEmpty(reply)) continue;
              show({ reply, phase: 'streaming', firstMs: asked.firstMs ?? passed() });
            }
            asked = { ...asked, phase: 'done' };
          } catch (error) {
            asked = signal.aborted
              ? { ...asked, phase: 'stopped' }
              : { ...asked, phase: 'interrupted', problem: problemOf(error) };
          }
          const totalMs = passed();
          end({ kind: 'answer', asked: { ...asked, totalMs, account: await account(stream.result) } });
        } else {
          const answer = await gate.chat({ ...question.request, stream: false }, options);
          const whole = { reply: replyOf(answer), totalMs: passed(), account: answer.tidegate };
          end({ kind: 'answer', asked: { ...asked, ...whole, phase: 'done' } });
        }
      } catch (error) {
        end({ kind: 'problem', problem: problemOf(error) });
      } finally {
        off();
        setRunning(null);
        settled();
      }
    },
    [gate, settled],
  );

  const stop = useCallback(() => running?.abort(), [running]);
  const again = useCallback(() => {
    if (last.current) void ask(last.current);
  }, [ask]);

  return { outcome, running: running !== null, ask, again, stop };
}
