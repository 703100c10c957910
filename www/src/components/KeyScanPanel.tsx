import { useId, useRef, useState, type DragEvent } from 'react';
import { redact } from 'tidegate';

import { number, plural } from '../format';
import { keyExample } from '../keyExample';
import { useKeyScan, type Scanned } from '../useKeyScan';
import { useTask } from '../useTask';
import { FindingList } from './FindingList';
import { Panel } from './Panel';
import { ProblemNotice } from './ProblemNotice';

const size = (bytes: number) =>
  bytes < 1000
    ? `${number(bytes)} B`
    : bytes < 1e6
      ? `${number(Math.round(bytes / 1000))} KB`
      : `${(bytes / 1e6).toFixed(1)} MB`;

/** `2 secrets, 1 public key`. */
function counted(scanned: Scanned[]): string {
  const findings = scanned.flatMap((one) => one.findings);
  const of = (kind: string) => findings.filter((finding) => finding.class === kind).length;
  const parts = [
    of('secret') && plural(of('secret'), 'secret'),
    of('ambiguous') && plural(of('ambiguous'), 'key that may be public', 'keys that may be public'),
    of('publishable') && plural(of('publishable'), 'public key'),
  ].filter(Boolean);
  return parts.length > 0 ? parts.join(', ') : 'No keys found';
}

/** Finds keys in what is pasted or dropped; nothing leaves the tab. */
export function KeyScanPanel() {
  const [text, setText] = useState('');
  const [over, setOver] = useState(false);
  const { scanned, progress, scanFiles, stop, clear } = useKeyScan(text);
  const { problem, run } = useTask();
  const [copied, setCopied] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const hint = useId();

  const drop = (event: DragEvent) => {
    event.preventDefault();
    setOver(false);
    void scanFiles([...event.dataTransfer.files]);
  };
  const drag = (event: DragEvent) => {
    if (!event.dataTransfer.types.includes('Files')) return;
    event.preventDefault();
    setOver(true);
  };
  const change = (next: string) => {
    setText(next);
    setCopied(false);
  };
  const copy = () =>
    run(async () => {
      const masked = await redact(text);
      await navigator.clipboard.writeText(masked.text);
      setCopied(true);
    });
  const empty = () => {
    change('');
    clear();
  };
  const percent = progress && progress.total > 0 ? Math.round((progress.done / progress.total) * 100) : 0;

  return (
    <Panel
      title="Find keys"
      testId="key-scan"
      aside={
        (text !== '' || scanned.length > 0) && (
          <button type="button" className="small" onClick={empty}>
            Start over
          </button>
        )
      }
    >
      <div className="scan">
        <div className="scan-input">
          <label className="field">
            <span>Text to look through</span>
            <textarea
              value={text}
              rows={8}
              spellCheck={false}
              autoComplete="off"
              className="scan-text"
              aria-describedby={hint}
              placeholder="Paste a log, a file, a prompt"
              onChange={(event) => change(event.target.value)}
            />
          </label>
          <div className="scan-actions">
            <button type="button" className="small" onClick={() => change(keyExample())}>
              Show an example
            </button>
            <button type="button" className="small" aria-disabled={text === ''} onClick={() => void (text && copy())}>
              Copy without the secrets
            </button>
            <span className="quiet" role="status">
              {copied ? 'Copied' : ''}
            </span>
          </div>
          {problem && <ProblemNotice problem={problem} />}
          <div
            className={over ? 'drop drop-over' : 'drop'}
            data-testid="drop"
            onDragEnter={drag}
            onDragOver={drag}
            onDragLeave={() => setOver(false)}
            onDrop={drop}
          >
            <p>Drop files here, of any size</p>
            <button type="button" onClick={() => input.current?.click()}>
              Choose files
            </button>
            <input
              ref={input}
              type="file"
              multiple
              hidden
              data-testid="files"
              onChange={(event) => {
                void scanFiles([...(event.target.files ?? [])]);
                event.target.value = ''; // the same file can be chosen again
              }}
            />
          </div>
          <p className="quiet scan-hint" id={hint}>
            Nothing leaves this tab.
          </p>
        </div>
        <div className="scan-results">
          {progress && (
            <div className="scan-progress" data-testid="scan-progress">
              <p>
                <label htmlFor={`${hint}-bar`}>
                  File {number(progress.index)} of {number(progress.count)}: {progress.name}
                </label>{' '}
                <span className="quiet">
                  {size(progress.done)} of {size(progress.total)}
                </span>
              </p>
              <div className="row">
                <progress id={`${hint}-bar`} max={100} value={percent} />
                <button type="button" className="small" onClick={stop}>
                  Stop
                </button>
              </div>
            </div>
          )}
          <p className="scan-summary" role="status" data-testid="scan-summary">
            {scanned.length > 0 && counted(scanned)}
          </p>
          {scanned.length === 0 && !progress && <p className="quiet">What is found is shown here, masked.</p>}
          {scanned.map((one) => (
            <section key={one.id} aria-label={one.name} data-testid="scanned">
              <h3>
                {one.name} <span className="quiet">{size(one.bytes)}</span>
              </h3>
              {one.problem && <ProblemNotice problem={one.problem} />}
              {!one.problem && one.findings.length === 0 && <p className="quiet">No keys in here.</p>}
              <FindingList findings={one.findings} />
            </section>
          ))}
        </div>
      </div>
    </Panel>
  );
}
