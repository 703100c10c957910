import { useCallback, useLayoutEffect, useRef, useState } from 'react';

/** How near to its end a text counts as read to its end, in pixels. */
const NEAR = 24;

/**
 * Keeps the end of a growing text in sight, unless its reader has scrolled away from it.
 * @param content changes whenever the text grows
 */
export function useFollow<E extends HTMLElement>(content: unknown) {
  const box = useRef<E>(null);
  const following = useRef(true);
  const [away, setAway] = useState(false);
  const [overflows, setOverflows] = useState(false);

  const onScroll = useCallback(() => {
    const element = box.current;
    if (!element) return;
    following.current = element.scrollHeight - element.scrollTop - element.clientHeight < NEAR;
    setAway(!following.current);
  }, []);

  const toEnd = useCallback(() => {
    following.current = true;
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }, []);

  useLayoutEffect(() => {
    const element = box.current;
    if (!element) return;
    setOverflows(element.scrollHeight > element.clientHeight);
    if (following.current) element.scrollTop = element.scrollHeight;
  }, [content]);

  return { box, onScroll, away, overflows, toEnd };
}
