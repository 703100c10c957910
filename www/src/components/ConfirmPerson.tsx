import { useEffect, useRef } from 'react';
import type { SlotInfo, SlotKey } from 'tidegate';

import { OpenSlot } from './OpenSlot';

interface Props {
  slots: SlotInfo[];
  busy: boolean;
  confirm: (key: () => Promise<SlotKey>) => Promise<boolean>;
  cancel: () => void;
}

/** Asks for a way in once more, before a key or a way in could leave the vault. */
export function ConfirmPerson({ slots, busy, confirm, cancel }: Props) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  return (
    <section className="notice notice-plain" data-testid="confirm" aria-labelledby="confirm-title">
      <h3 id="confirm-title" ref={heading} tabIndex={-1}>
        Show that it is you
      </h3>
      <p className="quiet">This could take a key out of the vault, so it needs you and not just this page.</p>
      <OpenSlot slots={slots} busy={busy} verb="Confirm" open={confirm} />
      <button type="button" className="small" onClick={cancel}>
        Cancel
      </button>
    </section>
  );
}
