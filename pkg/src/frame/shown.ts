// A key on the screen: only in this page, for a short time, and as text in its element alone.

/** How long a key is shown. */
export const SHOWN_MS = 30_000;

/** A place where one secret is shown at a time. */
export interface Shown {
  /** Shows it below `line`, and wipes the bytes. `hidden` is told once it is not shown any more. */
  show(line: HTMLElement, secret: Uint8Array, hidden: () => void): void;
  hide(): void;
}

export function shown(): Shown {
  let over: (() => void) | undefined;
  let place: HTMLElement | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const hide = () => {
    if (!place) return;
    clearTimeout(timer);
    place.replaceChildren();
    place.remove();
    place = undefined;
    over?.();
  };
  document.addEventListener('visibilitychange', () => document.visibilityState === 'hidden' && hide());
  return {
    hide,
    show(line, secret, hidden) {
      hide();
      over = hidden;
      place = document.createElement('code');
      place.tabIndex = 0;
      place.append(new TextDecoder().decode(secret));
      secret.fill(0);
      line.append(place);
      place.focus();
      timer = setTimeout(hide, SHOWN_MS);
    },
  };
}
