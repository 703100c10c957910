import type { Status } from 'tidegate';

import type { Demo } from '../demo';
import { PLACE } from '../place';

const LEDGER = {
  indexeddb: 'The budget and the circuits are kept in this browser and shared by its tabs.',
  memory: 'The budget and the circuits are kept in memory and end with this page.',
  file: 'The budget and the circuits are kept in a file.',
  hook: 'The budget and the circuits are kept elsewhere.',
} as const;

export function Footer({ status, demo }: { status: Status; demo: Demo | null }) {
  return (
    <footer className="bottom quiet">
      <p>
        {PLACE[status.isolation]} {LEDGER[status.ledger]}
      </p>
      {status.serviceWorker && (
        <p>
          A service worker sees every request with its key: <code>{status.serviceWorker}</code>. If you do not know it,
          remove it in the browser’s settings for this site, and replace your keys.
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
