import type { Status } from 'tidegate';

import type { Demo } from '../demo';

const LEDGER = {
  indexeddb: 'The budget and the circuits are kept in this browser and shared by its tabs.',
  memory: 'The budget and the circuits are kept in memory and end with this page.',
  file: 'The budget and the circuits are kept in a file.',
  hook: 'The budget and the circuits are kept elsewhere.',
} as const;

const PLACE = {
  page: 'The gateway runs in the page itself, where every script of the page can reach its unlocked keys.',
  worker:
    'The gateway runs in a worker: a script that gets into this page later can use it, but does not find the unlocked keys.',
  frame: 'The gateway runs in a frame of another origin, whose keys no script of this page can reach.',
} as const;

export function Footer({ status, demo }: { status: Status; demo: Demo | null }) {
  return (
    <footer className="bottom quiet">
      <p>
        {PLACE[status.isolation]} {LEDGER[status.ledger]}
      </p>
      {status.serviceWorker && (
        <p>
          A service worker sees every request with its key: <code>{status.serviceWorker}</code>
        </p>
      )}
      {demo?.workerUrl && (
        <p>
          The same gateway at the edge: <code>POST {demo.workerUrl}/v1/chat/completions</code>
        </p>
      )}
    </footer>
  );
}
