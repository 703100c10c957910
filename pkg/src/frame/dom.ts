// Elements of frame.html.

/** The element; a page without it is not frame.html. */
export const find = <E extends HTMLElement>(selector: string): E => {
  const element = document.querySelector<E>(selector);
  if (!element) throw new Error(`frame.html has no ${selector}`);
  return element;
};

/** Takes a secret out of its field as bytes; the field is empty at once. */
export function taken(input: HTMLInputElement): Uint8Array {
  // The same passphrase typed on another keyboard may be composed of other code points.
  const bytes = new TextEncoder().encode(input.value.normalize('NFKC'));
  input.value = '';
  return bytes;
}

export const span = (text: string, className = ''): HTMLSpanElement => {
  const element = document.createElement('span');
  element.textContent = text;
  element.className = className;
  return element;
};

/** One line of a list: what it is, what is small beside it, and its buttons. */
export function line(title: string, small: string, ...buttons: HTMLButtonElement[]): HTMLLIElement {
  const item = document.createElement('li');
  const words = span('');
  const what = document.createElement('b');
  what.textContent = title;
  words.append(what, ' ', span(small, 'quiet'));
  const row = span('', 'row');
  row.append(...buttons);
  item.append(words, row);
  return item;
}

/** A button with `words` in it, named `name` where those alone do not say of what. */
export function button(words: string, name: string, click: () => void): HTMLButtonElement {
  const element = document.createElement('button');
  element.type = 'button';
  element.textContent = words;
  element.setAttribute('aria-label', name);
  element.onclick = click;
  return element;
}

/** How long a question stays on its button. */
const ASKED_MS = 8_000;

/**
 * Has the button ask once more before `work`: frames of another origin have no `confirm()`, and a click that somebody
 * led the person to must not be enough.
 */
export function twice(element: HTMLButtonElement, question: string, work: () => void): void {
  const { textContent: words } = element;
  const name = element.getAttribute('aria-label');
  let timer: ReturnType<typeof setTimeout> | undefined;
  const calm = () => {
    clearTimeout(timer);
    timer = undefined;
    element.textContent = words;
    if (name !== null) element.setAttribute('aria-label', name);
  };
  element.onblur = calm;
  element.onclick = () => {
    if (timer !== undefined) {
      calm();
      work();
      return;
    }
    element.textContent = question;
    if (name !== null) element.setAttribute('aria-label', `${question} ${name}`);
    timer = setTimeout(calm, ASKED_MS);
  };
}
