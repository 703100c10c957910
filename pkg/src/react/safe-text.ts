// `<SafeText text={answer} />`

import { createElement, useLayoutEffect, useRef, useSyncExternalStore, type ReactElement, type ReactNode } from 'react';

import { render, show, type SafeTextPolicy } from './sanitize.js';

export interface SafeTextProps extends SafeTextPolicy {
  /** What a model wrote, in Markdown; may grow while it streams. */
  readonly text: string;
  /** The element around it. Default: `div`. */
  readonly as?: 'article' | 'div' | 'section' | undefined;
  readonly className?: string | undefined;
  readonly id?: string | undefined;
}

// A server has no DOM to sanitise in: it renders the words, and so does the page until it is hydrated.
const never = () => () => undefined;
const useInPage = () =>
  useSyncExternalStore(
    never,
    () => true,
    () => false,
  );

/**
 * Shows what a model wrote: Markdown and the harmless part of HTML, without scripts, styles, forms, ids; links and images
 * by policy. It writes no string into the page, so Trusted Types may be required (`trusted-types dompurify`).
 */
export function SafeText(props: SafeTextProps): ReactElement {
  // No hook on a server: a package that Next.js leaves out of its bundle gets another React than the one that renders.
  return typeof document === 'undefined' ? plain(props) : createElement(Shown, props);
}

function Shown(props: SafeTextProps): ReactElement {
  const { text, as = 'div', links, images, ...attributes } = props;
  const inPage = useInPage();
  const host = useRef<HTMLElement>(null);
  useLayoutEffect(() => {
    if (inPage && host.current) show(host.current, render(text, { links, images }));
  }, [inPage, text, links, images]);
  // Other keys: React must never think that it knows what is inside.
  return inPage ? createElement(as, { ...attributes, key: 'rendered', ref: host }) : plain(props);
}

const plain = ({ text, as = 'div', links: _links, images: _images, ...attributes }: SafeTextProps): ReactElement =>
  createElement(as, { ...attributes, key: 'plain' }, ...lines(text));

const lines = (text: string): ReactNode[] =>
  text.split('\n').flatMap((line, index) => (index === 0 ? [line] : [createElement('br', { key: index }), line]));
