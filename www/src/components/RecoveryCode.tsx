/** A recovery code, shown this once. */
export function RecoveryCode({ code, done }: { code: string; done: () => void }) {
  return (
    <div className="notice notice-plain" role="status" data-testid="recovery-code">
      <p className="notice-title">Your recovery code</p>
      <p className="code-shown">
        <code>{code}</code>
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
