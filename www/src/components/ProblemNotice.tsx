import type { Problem } from '../problem';

/** What went wrong and what to do next; read out at once. */
export function ProblemNotice({ problem, testId = 'problem' }: { problem: Problem; testId?: string }) {
  return (
    <div className="notice" role="alert" data-testid={testId} data-code={problem.code}>
      <p className="notice-title">
        {problem.title} <code>{problem.code}</code>
      </p>
      <p>{problem.next}</p>
      {problem.details.length > 0 && (
        <ul>
          {problem.details.map((detail, index) => (
            <li key={index}>{detail}</li>
          ))}
        </ul>
      )}
    </div>
  );
}
