import { useEffect, useRef, useState, type FormEvent, type KeyboardEvent, type RefObject } from 'react';
import type { Status } from 'tidegate';

import { MAX_TOKENS, TIDE_TABLE } from '../settings';
import type { Question } from '../useAsk';

/** One for each thing there is to see: an answer, its cache, reasoning, a tool call. */
const SAMPLES: { text: string; tool?: boolean }[] = [
  { text: 'Why is the sea salty?' },
  { text: 'What does a tide gate do?' },
  { text: 'Name three uses of a lock, in detail.' },
  { text: 'Think it through: one pump or two?' },
  { text: 'When is high tide in Lisbon?', tool: true },
];

const needs = (status: Status): string | null => {
  if (status.vault === 'absent') return 'Create the vault above first.';
  if (status.vault === 'locked') return 'The vault is locked; only cached answers can be had.';
  return status.targets.some((target) => target.keyed) ? null : 'Add a key to the vault above first.';
};

interface Props {
  status: Status;
  running: boolean;
  sendButton: RefObject<HTMLButtonElement | null>;
  ask: (question: Question) => void;
  stop: () => void;
}

export function AskForm({ status, running, sendButton, ask, stop }: Props) {
  const [message, setMessage] = useState(SAMPLES[0]?.text ?? '');
  const [maxTokens, setMaxTokens] = useState(MAX_TOKENS);
  const [stream, setStream] = useState(true);
  const [skipCache, setSkipCache] = useState(false);
  const [tool, setTool] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const stopButton = useRef<HTMLButtonElement>(null);

  const send = (event: FormEvent) => {
    event.preventDefault();
    if (running) return;
    ask({
      request: {
        messages: [{ role: 'user', content: message }],
        max_tokens: maxTokens,
        ...(tool ? { tools: [TIDE_TABLE] } : {}),
      },
      stream,
      skipCache,
    });
  };

  const byKey = (event: KeyboardEvent) => {
    if (event.key === 'Escape' && running) return stop();
    if (event.key !== 'Enter' || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    form.current?.requestSubmit();
  };

  // A button that can no longer be pressed gives the focus back.
  useEffect(() => {
    if (!running && document.activeElement === stopButton.current) sendButton.current?.focus();
  }, [running, sendButton]);

  return (
    <form ref={form} className="ask" onSubmit={send} onKeyDown={byKey}>
      <label className="field">
        <span>Your message</span>
        <textarea
          value={message}
          required
          rows={3}
          dir="auto"
          aria-describedby="send-by-key"
          onChange={(event) => setMessage(event.target.value)}
        />
      </label>
      <ul className="samples" aria-label="Examples">
        {SAMPLES.map((sample) => (
          <li key={sample.text}>
            <button
              type="button"
              className="small"
              onClick={() => {
                setMessage(sample.text);
                setTool(sample.tool === true);
              }}
            >
              {sample.text}
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
          <input type="checkbox" role="switch" checked={stream} onChange={(event) => setStream(event.target.checked)} />
          <span>Stream</span>
        </label>
        <label className="inline">
          <input type="checkbox" checked={skipCache} onChange={(event) => setSkipCache(event.target.checked)} />
          <span>Skip the cache</span>
        </label>
        <label className="inline">
          <input type="checkbox" checked={tool} onChange={(event) => setTool(event.target.checked)} />
          <span>Offer a tool</span>
        </label>
      </div>
      <div className="ask-send">
        {/* Not disabled while a request runs: the focus stays where it is. */}
        <button ref={sendButton} className="primary" type="submit" aria-disabled={running}>
          Send
        </button>
        <button ref={stopButton} type="button" aria-disabled={!running} onClick={stop}>
          Stop
        </button>
        <p className="quiet" id="send-by-key">
          {needs(status) ?? <span className="by-key">Ctrl + Enter sends, Esc stops.</span>}
        </p>
      </div>
    </form>
  );
}
