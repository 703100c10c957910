// Model output to nodes that may stand in a page: a Markdown renderer, then DOMPurify with a short list, then policies
// for links and images. No node touches the document before all three are done, so nothing is loaded meanwhile.

import DOMPurify, { type Config } from 'dompurify';

import { htmlOf } from './markdown.js';

/** Says of an address whether it may be followed or loaded. */
export type AddressPolicy = (address: URL) => boolean;

export interface SafeTextPolicy {
  /** Which links stay links; the others become plain text. Default: http, https and mailto. */
  readonly links?: AddressPolicy | 'none' | undefined;
  /**
   * Which images are loaded; in place of the others stands their description. Default: none, since an address can carry
   * whatever the model has read to whoever serves the image.
   */
  readonly images?: AddressPolicy | 'none' | undefined;
}

/** In UTF-16 units; beyond it a text is shown as it is, since a hostile one would keep the page busy. */
const LONGEST_MARKDOWN = 200_000;

const LINKS: AddressPolicy = ({ protocol }) => ['http:', 'https:', 'mailto:'].includes(protocol);
/** What Markdown makes. No forms, no styles, no ids: nothing that could pass for a part of the app. */
const TAGS =
  'a b blockquote br code del em h1 h2 h3 h4 h5 h6 hr i img kbd li ol p pre s strong sub sup table tbody td th thead tr ul';
const PURIFY: Config & { RETURN_DOM_FRAGMENT: true } = {
  ALLOWED_TAGS: TAGS.split(' '),
  ALLOWED_ATTR: ['href', 'src', 'alt', 'title', 'align', 'start', 'class'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

/** The nodes of a model's answer. What cannot be rendered becomes plain text. */
export function render(text: string, { links = LINKS, images = 'none' }: SafeTextPolicy): DocumentFragment {
  if (text.length > LONGEST_MARKDOWN) return plain(text);
  try {
    const fragment = DOMPurify.sanitize(htmlOf(text), PURIFY);
    applyLinks(fragment, links);
    applyImages(fragment, images);
    for (const element of fragment.querySelectorAll('[class]')) {
      // For highlighters; any other class could borrow the app's looks.
      if (element.localName !== 'code' || !/^language-[\w+#-]+$/u.test(element.className)) {
        element.removeAttribute('class');
      }
    }
    return fragment;
  } catch {
    return plain(text); // such as too deep a nesting
  }
}

function applyLinks(fragment: DocumentFragment, links: AddressPolicy | 'none'): void {
  for (const link of fragment.querySelectorAll('a')) {
    const address = addressOf(link.getAttribute('href'));
    if (address === undefined || links === 'none' || !links(address)) {
      link.replaceWith(...link.childNodes);
      continue;
    }
    link.setAttribute('href', address.href);
    link.setAttribute('rel', 'noopener noreferrer nofollow');
    link.setAttribute('target', '_blank');
  }
}

function applyImages(fragment: DocumentFragment, images: AddressPolicy | 'none'): void {
  for (const image of fragment.querySelectorAll('img')) {
    const address = addressOf(image.getAttribute('src'));
    if (address !== undefined && images !== 'none' && images(address)) {
      image.setAttribute('src', address.href);
      image.setAttribute('loading', 'lazy');
      image.setAttribute('referrerpolicy', 'no-referrer');
    } else image.replaceWith(`[${image.getAttribute('alt')?.trim() || 'image'}]`);
  }
}

/** An absolute address; a relative one would be the app's own, and a model knows none of those. */
function addressOf(text: string | null): URL | undefined {
  try {
    return text === null ? undefined : new URL(text);
  } catch {
    return undefined;
  }
}

function plain(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const [index, line] of text.split('\n').entries()) {
    if (index > 0) fragment.append(document.createElement('br'));
    fragment.append(line);
  }
  return fragment;
}

/** Makes `host` hold these nodes, and leaves those alone that are the same: a selection outlives a stream's next part. */
export function show(host: Element, fragment: DocumentFragment): void {
  const nodes = [...fragment.childNodes];
  for (const [index, node] of nodes.entries()) {
    const old = host.childNodes[index];
    if (!old) host.append(node);
    else if (!old.isEqualNode(node)) old.replaceWith(node);
  }
  while (host.childNodes.length > nodes.length) host.lastChild?.remove();
}
