import { describe, expect, it } from "vitest";

import { waitBefore } from "./event-stream";

describe("the wait before a new connection", () => {
  it("doubles from the server's pause up to 15 s", () => {
    const middle = (): number => 0.5;
    expect([0, 1, 2, 3, 9].map((failures) => waitBefore(failures, 2000, middle))).toEqual([
      2000, 4000, 8000, 15_000, 15_000,
    ]);
  });

  it("is spread by a quarter, so that pages do not return together", () => {
    expect(waitBefore(0, 1000, () => 0)).toBe(750);
    expect(waitBefore(0, 1000, () => 1)).toBe(1250);
  });
});
