import { type RefObject, useEffect, useRef } from "react";

/** Draws into an element, again whenever what it shows or its width changes. `draw` gets the width in pixels. */
export function usePlot(draw: (width: number) => Element | undefined, shows: readonly unknown[]): RefObject<HTMLDivElement | null> {
  const host = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = host.current;
    if (!element) return;
    let width = 0;
    const observer = new ResizeObserver(() => {
      if (element.clientWidth === width || element.clientWidth === 0) return; // 0: not laid out
      width = element.clientWidth;
      const chart = draw(width);
      element.replaceChildren(...(chart ? [chart] : []));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, shows);
  return host;
}
