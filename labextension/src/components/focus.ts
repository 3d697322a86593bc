import { RefObject, useEffect, useRef } from 'react';

/** When what has the focus goes away, such as a problem that was fixed, the keyboard goes on from another element. */
export function useKeptFocus(part: RefObject<HTMLElement>, successor: string): void {
  const inside = useRef(false);
  useEffect(() => {
    const node = part.current;
    if (!node) {
      return;
    }
    if (inside.current && document.activeElement === document.body) {
      node.querySelector<HTMLElement>(successor)?.focus({ preventScroll: true });
    }
    const enter = (): void => {
      inside.current = true;
    };
    const leave = (event: FocusEvent): void => {
      // What is removed loses the focus while it is still there, and to nobody.
      queueMicrotask(() => {
        if (event.relatedTarget !== null || (event.target as Node).isConnected) {
          inside.current = node.contains(document.activeElement);
        }
      });
    };
    node.addEventListener('focusin', enter);
    node.addEventListener('focusout', leave);
    return () => {
      node.removeEventListener('focusin', enter);
      node.removeEventListener('focusout', leave);
    };
  });
}
