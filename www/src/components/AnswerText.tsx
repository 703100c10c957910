import { lazy, Suspense } from 'react';

/** As it was written, until Markdown can be rendered. */
const Plain = ({ text }: { text: string }) => <p className="as-written">{text}</p>;

// No answer needs it before the first one comes. Without it (the page was left open, and its server is gone) the words
// stand as they are.
const load = () =>
  import('tidegate/react').then(
    ({ SafeText }) => ({ default: SafeText }),
    () => ({ default: Plain }),
  );
const Rendered = lazy<typeof Plain>(load);

/** Gets what renders an answer while the answer is waited for. */
export const prepareAnswerText = (): void => void load();

/** What a model wrote, in Markdown, safely rendered; may grow. */
export function AnswerText({ text }: { text: string }) {
  return (
    <div className="answer-text" data-testid="answer-text">
      <Suspense fallback={<Plain text={text} />}>
        <Rendered text={text} />
      </Suspense>
    </div>
  );
}
