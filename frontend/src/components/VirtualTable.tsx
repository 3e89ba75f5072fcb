import { useVirtualizer } from "@tanstack/react-virtual";
import { type KeyboardEvent, type ReactNode, type Ref, useEffect, useId, useImperativeHandle, useRef } from "react";

export interface Column<Row> {
  readonly key: string;
  readonly header: ReactNode;
  readonly cell: (row: Row, index: number) => ReactNode;
  readonly align?: "end";
  readonly sorted?: "ascending" | "descending" | "none";
}

interface Props<Row> {
  label: string;
  columns: readonly Column<Row>[];
  rows: readonly Row[];
  keyOf: (row: Row) => string;
  /** Rows in all, loaded or not; -1 when that is not known. */
  total: number;
  active: string | null;
  onActivate: (key: string) => void;
  /** A click on a row, or Enter on the active one. */
  onOpen?: (key: string) => void;
  onEscape?: () => void;
  hasMore: boolean;
  isLoadingMore: boolean;
  onNeedMore: () => void;
  /** Told whether the first row is in view. */
  onTop?: (atTop: boolean) => void;
  className: string;
  ref?: Ref<Focusable>;
}

/** What others may ask of a table or panel: to take the keyboard. */
export interface Focusable {
  focus: () => void;
}

const ROW_PX = 32;
const HEADER_PX = 44;
const AHEAD = 40;

/** A grid of rows of one height, of which only those in view are in the document. Arrows move through the rows. */
export function VirtualTable<Row>(props: Props<Row>) {
  const { columns, rows, keyOf, active, hasMore, isLoadingMore, onNeedMore, onTop } = props;
  const scroller = useRef<HTMLDivElement>(null);
  useImperativeHandle(props.ref, () => ({ focus: () => scroller.current?.focus() }));
  const id = useId();
  // It returns functions that must not be memoized; this component passes none of them on.
  // eslint-disable-next-line react-hooks/incompatible-library
  const virtualizer = useVirtualizer({
    count: rows.length,
    getScrollElement: () => scroller.current,
    estimateSize: () => ROW_PX,
    overscan: 12,
    scrollMargin: HEADER_PX,
    scrollPaddingStart: HEADER_PX,
  });
  const shown = virtualizer.getVirtualItems();
  const last = shown.at(-1)?.index ?? -1;
  const activeIndex = active === null ? -1 : rows.findIndex((row) => keyOf(row) === active);

  useEffect(() => {
    if (hasMore && !isLoadingMore && last >= rows.length - AHEAD) onNeedMore();
  }, [hasMore, isLoadingMore, last, rows.length, onNeedMore]);

  const height = virtualizer.scrollRect?.height ?? 0;
  useEffect(() => {
    // The address may name a row far down the list, and what opens below the list may cover the active one.
    if (activeIndex >= 0) virtualizer.scrollToIndex(activeIndex, { align: "auto" });
    // eslint-disable-next-line react-hooks/exhaustive-deps -- whoever scrolls away from the row is not dragged back
  }, [height]);

  function moveTo(index: number): void {
    const row = rows[Math.max(0, Math.min(rows.length - 1, index))];
    if (row === undefined) return;
    props.onActivate(keyOf(row));
    virtualizer.scrollToIndex(rows.indexOf(row), { align: "auto" });
  }

  function onKeyDown(event: KeyboardEvent): void {
    if (event.target !== event.currentTarget || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") props.onEscape?.();
    if (event.key === "Enter" && active !== null && activeIndex >= 0) props.onOpen?.(active);
    const target = targetOf(event.key, activeIndex, rows.length, pageOf(scroller.current));
    if (target === null) return;
    event.preventDefault();
    moveTo(target);
  }

  return (
    <div className={`grid-frame ${props.className}`}>
      <div
        ref={scroller}
        className="grid"
        role="grid"
        tabIndex={0}
        aria-label={props.label}
        aria-rowcount={props.total < 0 ? -1 : props.total + 1}
        aria-colcount={columns.length}
        aria-activedescendant={activeIndex < 0 ? undefined : `${id}-${activeIndex}`}
        aria-busy={isLoadingMore}
        onKeyDown={onKeyDown}
        onScroll={(event) => onTop?.(event.currentTarget.scrollTop < ROW_PX)}
      >
        <div className="grid-row grid-header" role="row" aria-rowindex={1}>
          {columns.map((column) => (
            <div
              key={column.key}
              role="columnheader"
              className={`cell ${column.align ?? ""}`}
              aria-sort={column.sorted}
            >
              {column.header}
            </div>
          ))}
        </div>
        <div className="grid-body" role="rowgroup" style={{ height: virtualizer.getTotalSize() }}>
          {shown.map(({ index, start }) => {
            const row = rows[index];
            if (row === undefined) return null;
            return (
              // The grid itself takes the keyboard; a click is the same as moving there.
              // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
              <div
                key={keyOf(row)}
                id={`${id}-${index}`}
                className="grid-row"
                role="row"
                aria-rowindex={index + 2}
                aria-selected={index === activeIndex}
                style={{ transform: `translateY(${start - HEADER_PX}px)` }}
                onClick={() => {
                  props.onActivate(keyOf(row));
                  props.onOpen?.(keyOf(row));
                }}
              >
                {columns.map((column) => (
                  <div key={column.key} role="gridcell" className={`cell ${column.align ?? ""}`}>
                    {column.cell(row, index)}
                  </div>
                ))}
              </div>
            );
          })}
        </div>
      </div>
    </div>
  );
}

function pageOf(scroller: HTMLElement | null): number {
  return Math.max(1, Math.floor(((scroller?.clientHeight ?? 0) - HEADER_PX) / ROW_PX) - 1);
}

/** Where a key leads from a row, or null if the key does not move. */
export function targetOf(key: string, from: number, count: number, page: number): number | null {
  switch (key) {
    case "ArrowDown":
      return from + 1;
    case "ArrowUp":
      return Math.max(0, from - 1);
    case "PageDown":
      return Math.max(0, from) + page;
    case "PageUp":
      return Math.max(0, from - page);
    case "Home":
      return 0;
    case "End":
      return count - 1;
    default:
      return null;
  }
}
