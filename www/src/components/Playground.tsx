import { useRef, useState, type FormEvent, type KeyboardEvent } from 'react';
import type { ChatAnswer, Status, Tidegate } from 'tidegate';

import { problemOf, type Problem } from '../problem';
import { MAX_TOKENS } from '../settings';
import { Answer } from './Answer';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';

const SAMPLES = ['Why is the sea salty?', 'What does a tide gate do?', 'Name three uses of a lock.'];

type Outcome = { kind: 'answer'; answer: ChatAnswer } | { kind: 'problem'; problem: Problem };

const needs = (status: Status): string | null => {
  if (status.vault === 'absent') return 'Create the vault above first.';
  if (status.vault === 'locked') return 'The vault is locked; only cached answers can be had.';
  return status.targets.some((target) => target.keyed) ? null : 'Add a key to the vault above first.';
};

export function Playground({ gate, status, refresh }: { gate: Tidegate; status: Status; refresh: () => void }) {
  const [message, setMessage] = useState(SAMPLES[0] ?? '');
  const [maxTokens, setMaxTokens] = useState(MAX_TOKENS);
  const [skipCache, setSkipCache] = useState(false);
  const [running, setRunning] = useState<AbortController | null>(null);
  const [outcome, setOutcome] = useState<Outcome | null>(null);
  const form = useRef<HTMLFormElement>(null);
  const hint = needs(status);

  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (running) return;
    const controller = new AbortController();
    setRunning(controller);
    setOutcome(null);
    try {
      const answer = await gate.chat(
        { messages: [{ role: 'user', content: message }], max_tokens: maxTokens },
        { signal: controller.signal, cache: { skipRead: skipCache } },
      );
      setOutcome({ kind: 'answer', answer });
    } catch (error) {
      setOutcome({ kind: 'problem', problem: problemOf(error) });
    } finally {
      setRunning(null);
      refresh();
    }
  };

  const sendByKey = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.current?.requestSubmit();
  };

  return (
    <Panel title="Playground" testId="playground">
      <form ref={form} className="ask" onSubmit={(event) => void send(event)}>
        <label className="field">
          <span>Your message</span>
          <textarea
            rows={3}
            required
            value={message}
            aria-describedby="send-by-key"
            onChange={(event) => setMessage(event.target.value)}
            onKeyDown={sendByKey}
          />
        </label>
        <ul className="samples" aria-label="Examples">
          {SAMPLES.map((sample) => (
            <li key={sample}>
              <button type="button" className="small" onClick={() => setMessage(sample)}>
                {sample}
              </button>
            </li>
          ))}
        </ul>
        <div className="ask-options">
          <label className="inline">
            <span>Longest answer</span>
            <input
              type="number"
              min={1}
              max={131_072}
              required
              value={Number.isNaN(maxTokens) ? '' : maxTokens}
              onChange={(event) => setMaxTokens(event.target.valueAsNumber)}
            />
            <span>tokens</span>
          </label>
          <label className="inline">
            <input type="checkbox" checked={skipCache} onChange={(event) => setSkipCache(event.target.checked)} />
            <span>Skip the cache</span>
          </label>
        </div>
        <div className="ask-send">
          <button className="primary" type="submit" disabled={running !== null}>
            {running ? 'Sending …' : 'Send'}
          </button>
          {running && (
            <button type="button" onClick={() => running.abort()}>
              Stop
            </button>
          )}
          <p className="quiet" id="send-by-key">
            {hint ?? 'Ctrl + Enter sends it, too.'}
          </p>
        </div>
      </form>
      <div className="outcome" aria-live="polite" aria-busy={running !== null}>
        {outcome?.kind === 'answer' && <Answer answer={outcome.answer} />}
        {outcome?.kind === 'problem' && <ProblemNotice problem={outcome.problem} />}
      </div>
    </Panel>
  );
}
