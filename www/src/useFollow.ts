import { useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

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

  const measure = useCallback(() => {
    const element = box.current;
    if (!element) return;
    setOverflows(element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth);
    if (following.current) element.scrollTop = element.scrollHeight;
  }, []);
  useLayoutEffect(measure, [content, measure]);
  // It also grows where it is laid out anew: rendered at last, or in a narrower window.
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    for (const element of [box.current, box.current?.firstElementChild]) if (element) observer.observe(element);
    return () => observer.disconnect();
  }, [measure]);

  return { box, onScroll, away, overflows, toEnd };
}
