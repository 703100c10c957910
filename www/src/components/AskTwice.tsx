import { useEffect, useState } from 'react';

interface Props {
  words: string;
  /** What stands on it after the first click. */
  question: string;
  /** Names it, where its words alone do not say of what. */
  label?: string;
  danger?: boolean;
  busy: boolean;
  act: () => void;
}

/** How long the question stays. */
const ASKED_MS = 8_000;

/** A button for what cannot be undone: it asks once more on its own place. */
export function AskTwice({ words, question, label, danger = false, busy, act }: Props) {
  const [asked, setAsked] = useState(false);
  useEffect(() => {
    if (!asked) return undefined;
    const timer = setTimeout(() => setAsked(false), ASKED_MS);
    return () => clearTimeout(timer);
  }, [asked]);
  return (
    <button
      type="button"
      className={danger || asked ? 'small danger' : 'small'}
      disabled={busy}
      aria-label={label && (asked ? `${question} ${label}` : label)}
      onBlur={() => setAsked(false)}
      onClick={() => {
        setAsked(!asked);
        if (asked) act();
      }}
    >
      {asked ? question : words}
    </button>
  );
}
