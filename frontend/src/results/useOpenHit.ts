import { type RefObject, useState } from "react";

import type { Focusable } from "../components/VirtualTable";
import { goTo, replaceBy, type Route } from "../state/route";

interface Selection {
  /** The row where the keyboard is; where a hit is open, that is its row. */
  readonly activeKey: string | null;
  readonly moveTo: (hitId: string) => void;
  readonly open: (hitId: string) => void;
  readonly close: () => void;
  readonly escape: () => void;
}

/** Which row is in hand and which hit is open: the open one is part of the address, and follows the row. */
export function useOpenHit(
  hitId: string | null,
  address: (part: Partial<Route>) => string,
  grid: RefObject<Focusable | null>,
  panel: RefObject<Focusable | null>,
): Selection {
  const [position, setPosition] = useState<string | null>(null);

  function moveTo(next: string): void {
    setPosition(next);
    if (hitId !== null) replaceBy(address({ hitId: next }));
  }

  /** Once more on the open hit leads into it. */
  function open(next: string): void {
    if (hitId === null) goTo(address({ hitId: next }));
    if (hitId === next) panel.current?.focus();
  }

  function close(): void {
    setPosition(hitId);
    replaceBy(address({ hitId: null }));
    grid.current?.focus();
  }

  function escape(): void {
    if (hitId === null) setPosition(null);
    else close();
  }

  return { activeKey: hitId ?? position, moveTo, open, close, escape };
}
