import { useLayoutEffect, useRef } from 'react';

/** A recovery code, shown this once, as text in its element alone. `done` wipes the bytes. */
export function RecoveryCode({ code, done }: { code: Uint8Array; done: () => void }) {
  const text = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    const element = text.current;
    if (element) element.textContent = new TextDecoder().decode(code);
    return () => {
      if (element) element.textContent = '';
    };
  }, [code]);
  return (
    <div className="notice notice-plain" role="status" data-testid="recovery-code">
      <p className="notice-title">Your recovery code</p>
      <p className="code-shown">
        <code ref={text} />
      </p>
      <p>It opens this vault and is shown only now. Write it down and keep it away from this device.</p>
      <p>
        <button type="button" className="small" onClick={done}>
          I have written it down
        </button>
      </p>
    </div>
  );
}
