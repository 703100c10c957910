import { useEffect, useRef } from 'react';
import type { Status, Tidegate } from 'tidegate';

import { useAsk } from '../useAsk';
import { Announcer } from './Announcer';
import { Answer } from './Answer';
import { AskForm } from './AskForm';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';

export function Playground({ gate, status, refresh }: { gate: Tidegate; status: Status; refresh: () => void }) {
  const { outcome, running, ask, again, stop } = useAsk(gate, refresh);
  const sendButton = useRef<HTMLButtonElement>(null);
  const shown = useRef<HTMLDivElement>(null);

  // On a small screen the answer begins below the fold. Once: from then on its reader decides.
  useEffect(() => {
    if (!running) return;
    const still = matchMedia('(prefers-reduced-motion: reduce)').matches;
    shown.current?.scrollIntoView({ block: 'nearest', behavior: still ? 'auto' : 'smooth' });
  }, [running]);

  const askAgain = () => {
    // The button that was pressed goes away.
    sendButton.current?.focus();
    again();
  };
  return (
    <Panel title="Playground" testId="playground">
      <AskForm
        status={status}
        running={running}
        sendButton={sendButton}
        ask={(question) => void ask(question)}
        stop={stop}
      />
      <div ref={shown} className="outcome" aria-busy={running}>
        {outcome?.kind === 'answer' && <Answer asked={outcome.asked} again={askAgain} />}
        {outcome?.kind === 'problem' && <ProblemNotice problem={outcome.problem} />}
      </div>
      <Announcer outcome={outcome} />
    </Panel>
  );
}
