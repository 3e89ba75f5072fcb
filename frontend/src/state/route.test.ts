import { describe, expect, it } from "vitest";

import { formatRoute, ORDERS, parseRoute } from "./route";

const ID = "01930c1e-7a52-7cc3-9d0b-3f6f2b6d1a10";

describe("the address", () => {
  it.each(ORDERS)("keeps job, list and the order %s", (order) => {
    expect(parseRoute(formatRoute(ID, "hits", order))).toEqual({ jobId: ID, list: "hits", order });
    expect(parseRoute(formatRoute(ID, "rejected", order))).toEqual({ jobId: ID, list: "rejected", order });
    expect(parseRoute(formatRoute(ID, "receptor", order))).toEqual({ jobId: ID, list: "receptor", order });
  });

  it("of a job is short", () => {
    expect(formatRoute(ID)).toBe(`#/jobs/${ID}`);
  });

  it.each(["", "#", "#/jobs/", "#/jobs/1", `#/jobs/${ID}x`, `#/jobs/${ID}/..`, `#/other/${ID}`])(
    "%j names no job",
    (hash) => {
      expect(parseRoute(hash)).toEqual({ jobId: null, list: "hits", order: "score" });
    },
  );

  it("with an order that there is not falls back to the score", () => {
    expect(parseRoute(`#/jobs/${ID}?order=affinity`).order).toBe("score");
  });
});
