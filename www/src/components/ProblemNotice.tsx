import type { ReactNode } from 'react';

import type { Problem } from '../problem';

interface Props {
  problem: Problem;
  testId?: string;
  /** What else there is to know. */
  more?: string | undefined;
  /** What can be done about it here. */
  children?: ReactNode;
}

/** What went wrong and what to do next; read out at once. */
export function ProblemNotice({ problem, testId = 'problem', more, children }: Props) {
  return (
    <div className="notice" role="alert" data-testid={testId} data-code={problem.code}>
      <p className="notice-title">
        {problem.title} <code>{problem.code}</code>
      </p>
      <p>{problem.next}</p>
      {more && <p>{more}</p>}
      {problem.details.length > 0 && (
        <ul>
          {problem.details.map((detail, index) => (
            <li key={index}>{detail}</li>
          ))}
        </ul>
      )}
      {children}
    </div>
  );
}
