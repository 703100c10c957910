import type { Status } from 'tidegate';

import type { Demo } from '../demo';
import { plural } from '../format';
import { Tag } from './Tag';

const PLACE = { page: 'Keys in this page', worker: 'Keys in a worker', frame: 'Keys in a frame' } as const;

const VAULT = { absent: 'No vault yet', locked: 'Vault locked', unlocked: 'Vault unlocked' } as const;

export function Header({ status, demo }: { status?: Status; demo?: Demo | null }) {
  return (
    <header className="top">
      <div className="top-inner">
        <div className="brand">
          <svg className="mark" viewBox="0 0 32 32" aria-hidden="true">
            <rect width="32" height="32" rx="7" />
            <path d="M5 13c4-5 7-5 11 0s7 5 11 0M5 21c4-5 7-5 11 0s7 5 11 0" />
          </svg>
          <div>
            <h1>Tidegate</h1>
            <p className="quiet">An LLM gateway in this tab</p>
          </div>
        </div>
        {status && (
          <ul className="tags" aria-label="State of the gateway">
            {demo && (
              <li>
                <Tag tone="accent">Demo with stand-in providers</Tag>
              </li>
            )}
            <li>
              <Tag tone={status.vault === 'unlocked' ? 'good' : 'plain'} testId="vault-state">
                {VAULT[status.vault]}
              </Tag>
            </li>
            <li>
              <Tag tone={status.isolation === 'page' ? 'plain' : 'good'} testId="isolation">
                {PLACE[status.isolation]}
              </Tag>
            </li>
            {status.inFlight > 0 && (
              <li>
                <Tag tone="busy">{plural(status.inFlight, 'request')} running</Tag>
              </li>
            )}
          </ul>
        )}
      </div>
    </header>
  );
}
