import { useEffect, useState } from 'react';

import type { Reply } from '../reply';
import type { Phase } from '../useAsk';
import { useFollow } from '../useFollow';
import { AnswerText, prepareAnswerText } from './AnswerText';

/** Text, reasoning and tool calls in a box of bounded height, so that the page below stays where it is. */
export function AnswerBody({ phase, reply }: { phase: Phase; reply: Reply }) {
  const { box, onScroll, onWheel, away, overflows, toEnd } = useFollow<HTMLDivElement>(reply);
  const [open, setOpen] = useState(true);
  useEffect(prepareAnswerText, []);
  const live = phase === 'streaming';
  const { text, reasoning, toolCalls } = reply;
  return (
    <div className="answer-frame">
      <div
        ref={box}
        className="answer-body"
        onScroll={onScroll}
        onWheel={onWheel}
        // Only what scrolls needs the keyboard.
        {...(overflows ? { tabIndex: 0, role: 'group', 'aria-label': 'Text of the answer' } : {})}
      >
        <div className="answer-content">
          {phase === 'waiting' && <p className="quiet">Waiting for the first token …</p>}
          {reasoning && (
            <details
              className="reasoning"
              data-testid="answer-reasoning"
              open={open}
              onToggle={(event) => setOpen(event.currentTarget.open)}
            >
              <summary>{live && !text && toolCalls.length === 0 ? 'Reasoning …' : 'Reasoning'}</summary>
              <p>{reasoning}</p>
            </details>
          )}
          {text && <AnswerText text={text} />}
          {toolCalls.map((call, index) => (
            <div key={index} className="tool-call" data-testid="tool-call">
              <p>
                <span className="quiet">Calls the tool</span> <code className="tool-name">{call.name}</code>
              </p>
              <pre>{call.arguments}</pre>
            </div>
          ))}
          {toolCalls.length > 0 && phase === 'done' && (
            <p className="quiet answer-aside">Running the tool is up to the app; this page has none to run.</p>
          )}
        </div>
      </div>
      {away && live && (
        <button type="button" className="small to-end" onClick={toEnd}>
          Follow the text
        </button>
      )}
    </div>
  );
}
