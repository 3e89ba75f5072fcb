import { describe, expect, it } from "vitest";

import { isNothing, newerThan } from "./newer";

const LOADED = { scoredBefore: 10, analysedBefore: 4 };

describe("what is newer than a hit list", () => {
  it("is what was scored and analysed since", () => {
    expect(newerThan(LOADED, 12, 9)).toEqual({ scored: 2, analysed: 5 });
    expect(newerThan(LOADED, 10, 5)).toEqual({ scored: 0, analysed: 1 });
    expect(isNothing(newerThan(LOADED, 10, 5))).toBe(false);
  });

  it("is nothing before the list is there, and for counts that are older than it", () => {
    expect(isNothing(newerThan(undefined, 12, 9))).toBe(true);
    expect(isNothing(newerThan(LOADED, 8, 0))).toBe(true);
  });
});
