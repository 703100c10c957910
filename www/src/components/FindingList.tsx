import { useState } from 'react';
import type { Finding } from 'tidegate';

import { number } from '../format';
import { FindingItem } from './FindingItem';

/** More than a person looks through at once. */
const FIRST = 20;
/** More than a page can show. */
const MOST = 1_000;

/** What was found in one text: the first of it, and the rest on demand. */
export function FindingList({ findings }: { findings: readonly Finding[] }) {
  const [all, setAll] = useState(false);
  const shown = findings.slice(0, all ? MOST : FIRST);
  const more = findings.length - shown.length;
  return (
    <>
      <ul>
        {shown.map((finding) => (
          <FindingItem key={`${finding.start} ${finding.rule}`} finding={finding} />
        ))}
      </ul>
      {more > 0 && !all && (
        <button type="button" className="small" onClick={() => setAll(true)}>
          Show {number(Math.min(more, MOST - FIRST))} more
        </button>
      )}
      {more > 0 && all && (
        <p className="quiet">And {number(more)} more: npx tidegate scan lists every one, with files and lines.</p>
      )}
    </>
  );
}
