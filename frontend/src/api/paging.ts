/** Keyset pages: each carries the cursor of the next one, and the last carries none. */
export interface Page<T> {
  items: T[];
  next_cursor?: string | null;
}

export interface Pages<P> {
  pages: P[];
  pageParams: (string | null)[];
}

export function nextCursor<T>(page: Page<T>): string | undefined {
  return page.next_cursor ?? undefined;
}

/**
 * All loaded items in order, each once. An item may move between two fetches of a running job's pages; where it was
 * seen first wins, so that no row appears twice.
 */
export function flatten<T>(pages: readonly Page<T>[], keyOf: (item: T) => string): T[] {
  const seen = new Map<string, T>();
  for (const page of pages) {
    for (const item of page.items) {
      const key = keyOf(item);
      if (!seen.has(key)) seen.set(key, item);
    }
  }
  return [...seen.values()];
}

export function onlyFirstPage<P>(data: Pages<P> | undefined): Pages<P> | undefined {
  return data && { pages: data.pages.slice(0, 1), pageParams: data.pageParams.slice(0, 1) };
}

/** The same pages with one item replaced, or null if no page holds it. */
export function replaceItem<T, P extends Page<T>>(
  data: Pages<P> | undefined,
  item: T,
  keyOf: (item: T) => string,
): Pages<P> | null {
  const key = keyOf(item);
  if (!data?.pages.some((page) => page.items.some((old) => keyOf(old) === key))) return null;
  const pages = data.pages.map((page) => ({
    ...page,
    items: page.items.map((old) => (keyOf(old) === key ? item : old)),
  }));
  return { ...data, pages };
}
