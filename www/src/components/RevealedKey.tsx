import { useLayoutEffect, useRef, useState } from 'react';

interface Props {
  /** Wiped when the key is hidden again. */
  secret: Uint8Array;
  /** How it is named to a screen reader. */
  label: string;
  hide: () => void;
}

const SHOWN_MS = 30_000;

/**
 * A key on the screen, for a short time. It is text in its element alone: in React's state it would live on in renders
 * that nobody can wipe.
 */
export function RevealedKey({ secret, label, hide }: Props) {
  const code = useRef<HTMLElement>(null);
  const [told, setTold] = useState('Hidden again in 30 seconds.');

  useLayoutEffect(() => {
    const element = code.current;
    if (element) {
      element.textContent = new TextDecoder().decode(secret);
      element.focus();
    }
    const timer = setTimeout(hide, SHOWN_MS);
    const away = () => document.visibilityState === 'hidden' && hide();
    document.addEventListener('visibilitychange', away);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('visibilitychange', away);
      if (element) element.textContent = '';
    };
  }, [secret, hide]);

  const copy = () => {
    navigator.clipboard.writeText(new TextDecoder().decode(secret)).then(
      () => setTold('Copied. Other programs can read the clipboard: copy something else when you are done.'),
      () => setTold('The browser did not let it be copied: select it and copy it yourself.'),
    );
  };

  return (
    <div className="revealed" data-testid="revealed">
      <code ref={code} tabIndex={0} role="textbox" aria-readonly="true" aria-label={label} />
      <div className="row">
        <button type="button" className="small" onClick={copy}>
          Copy
        </button>
        <button type="button" className="small" onClick={hide}>
          Hide
        </button>
        <span className="quiet" role="status">
          {told}
        </span>
      </div>
    </div>
  );
}
