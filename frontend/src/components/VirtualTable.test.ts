import { describe, expect, it } from "vitest";

import { targetOf } from "./VirtualTable";

describe("keys in a table", () => {
  it.each([
    ["ArrowDown", -1, 0],
    ["ArrowDown", 3, 4],
    ["ArrowUp", -1, 0],
    ["ArrowUp", 3, 2],
    ["PageDown", 3, 13],
    ["PageDown", -1, 10],
    ["PageUp", 13, 3],
    ["Home", 50, 0],
    ["End", 0, 99],
  ])("%s leads from row %i to row %i", (key, from, to) => {
    expect(targetOf(key, from, 100, 10)).toBe(to);
  });

  it.each(["a", "Enter", "Tab", "toString"])("%s does not move", (key) => {
    expect(targetOf(key, 3, 100, 10)).toBeNull();
  });
});
