import type { Status } from 'tidegate';

import type { Demo } from '../demo';

const LEDGER = {
  indexeddb: 'The budget and the circuits are kept in this browser and shared by its tabs.',
  memory: 'The budget and the circuits are kept in memory and end with this page.',
  file: 'The budget and the circuits are kept in a file.',
  hook: 'The budget and the circuits are kept elsewhere.',
} as const;

export function Footer({ status, demo }: { status: Status; demo: Demo | null }) {
  return (
    <footer className="bottom quiet">
      <p>{LEDGER[status.ledger]}</p>
      {demo?.workerUrl && (
        <p>
          The same gateway at the edge: <code>POST {demo.workerUrl}/v1/chat/completions</code>
        </p>
      )}
    </footer>
  );
}
