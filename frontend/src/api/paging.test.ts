import { describe, expect, it } from "vitest";

import { flatten, nextCursor, onlyFirstPage, type Page, replaceItem } from "./paging";

interface Row {
  id: string;
  score: number;
}

const idOf = (row: Row): string => row.id;
const row = (id: string, score = 0): Row => ({ id, score });

function serve(rows: readonly Row[], limit: number, cursor: string | undefined): Page<Row> {
  const start = cursor === undefined ? 0 : rows.findIndex((item) => item.id === cursor) + 1;
  const items = rows.slice(start, start + limit);
  const last = items.at(-1);
  return { items, next_cursor: start + limit < rows.length && last ? last.id : null };
}

describe("keyset pages", () => {
  it.each([0, 1, 2, 3, 4, 5, 7])("of two rows give %i rows once each and in order", (size) => {
    const rows = Array.from({ length: size }, (_, number) => row(`r${number}`));
    const pages: Page<Row>[] = [];
    let cursor: string | undefined;
    do {
      const page = serve(rows, 2, cursor);
      pages.push(page);
      cursor = nextCursor(page);
    } while (cursor !== undefined);
    expect(flatten(pages, idOf)).toEqual(rows);
    expect(pages).toHaveLength(Math.max(1, Math.ceil(size / 2)));
  });

  it.each([null, undefined])("end where the next cursor is %s", (next_cursor) => {
    expect(nextCursor({ items: [], ...(next_cursor === null && { next_cursor }) })).toBeUndefined();
  });

  it("show a row once that moved from one page to the next between two fetches", () => {
    const pages = [{ items: [row("a"), row("b")] }, { items: [row("b"), row("c")] }];
    expect(flatten(pages, idOf).map(idOf)).toEqual(["a", "b", "c"]);
  });

  it("begin again with the first page only", () => {
    const data = { pages: [{ items: [row("a")] }, { items: [row("b")] }], pageParams: [null, "a"] };
    expect(onlyFirstPage(data)).toEqual({ pages: [{ items: [row("a")] }], pageParams: [null] });
    expect(onlyFirstPage(undefined)).toBeUndefined();
  });

  it("take a changed item in its place and leave the others", () => {
    const data = { pages: [{ items: [row("a")] }, { items: [row("b"), row("c")] }], pageParams: [null, "a"] };
    const changed = replaceItem(data, row("b", 5), idOf);
    expect(changed && flatten(changed.pages, idOf)).toEqual([row("a"), row("b", 5), row("c")]);
    expect(flatten(data.pages, idOf)[1]).toEqual(row("b"));
  });

  it("do not take an item that no page holds", () => {
    expect(replaceItem({ pages: [{ items: [row("a")] }], pageParams: [null] }, row("z"), idOf)).toBeNull();
    expect(replaceItem(undefined, row("z"), idOf)).toBeNull();
  });
});
