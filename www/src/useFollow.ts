import { useCallback, useEffect, useLayoutEffect, useRef, useState, type WheelEvent } from 'react';

/** How near to its end a text that is scrolled down is followed again, in pixels. */
const NEAR = 24;
/** How near counts as the end itself: places are fractions of pixels where a page is magnified. */
const AT_END = 2;

/**
 * Keeps the end of a growing text in sight, unless its reader has scrolled away from it.
 * @param content changes whenever the text grows
 */
export function useFollow<E extends HTMLElement>(content: unknown) {
  const box = useRef<E>(null);
  const following = useRef(true);
  /** Where it was scrolled to when it was last looked at. */
  const top = useRef(0);
  const [away, setAway] = useState(false);
  const [overflows, setOverflows] = useState(false);

  const follow = useCallback((wanted: boolean) => {
    following.current = wanted;
    setAway(!wanted);
  }, []);

  /** How far it is to the end. Up, if only by a line, goes nobody but its reader, or what became shorter, which ends there. */
  const look = useCallback(
    (element: E) => {
      const { scrollTop, scrollHeight, clientHeight } = element;
      const left = scrollHeight - scrollTop - clientHeight;
      if (scrollHeight - clientHeight < AT_END) follow(true);
      else if (scrollTop < top.current && left > AT_END) follow(false);
      else if (left < NEAR && scrollTop > top.current) follow(true);
      top.current = scrollTop;
    },
    [follow],
  );

  const onScroll = useCallback(() => {
    if (box.current) look(box.current);
  }, [look]);

  // Known before anything has moved: a text that is brought to its end in the middle of a smooth scroll moves the scroll's
  // own end along.
  const onWheel = useCallback(
    ({ deltaY, ctrlKey }: WheelEvent<E>) => {
      if (deltaY < 0 && !ctrlKey && top.current > 0) follow(false);
    },
    [follow],
  );

  const toEnd = useCallback(() => {
    follow(true);
    const element = box.current;
    if (!element) return;
    element.scrollTop = element.scrollHeight;
    top.current = element.scrollTop;
  }, [follow]);

  const measure = useCallback(() => {
    const element = box.current;
    if (!element) return;
    setOverflows(element.scrollHeight > element.clientHeight || element.scrollWidth > element.clientWidth);
    // What was scrolled may not have been told yet.
    look(element);
    if (!following.current) return;
    element.scrollTop = element.scrollHeight;
    top.current = element.scrollTop;
  }, [look]);
  useLayoutEffect(measure, [content, measure]);
  // It also grows where it is laid out anew: rendered at last, or in a narrower window.
  useEffect(() => {
    const observer = new ResizeObserver(measure);
    for (const element of [box.current, box.current?.firstElementChild]) if (element) observer.observe(element);
    return () => observer.disconnect();
  }, [measure]);

  return { box, onScroll, onWheel, away, overflows, toEnd };
}
