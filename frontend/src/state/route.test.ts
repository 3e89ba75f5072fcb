import { describe, expect, it } from "vitest";

import { type HitFilter, NO_FILTER } from "./hit-filter";
import { formatRoute, LISTS, ORDERS, parseRoute } from "./route";

const ID = "01930c1e-7a52-7cc3-9d0b-3f6f2b6d1a10";
const HIT = "01930c1e-7a52-7cc3-9d0b-3f6f2b6d1a11";
const FILTER: HitFilter = {
  valid: true,
  interactions: ["HBond@A:GLU80", "2 of Any@B:HIS-3,Hydrophobic@:VAL100B"],
  withoutAlerts: ["PAINS", "BRENK"],
};

describe("the address", () => {
  it.each(ORDERS)("keeps job, list, filter, hit and the order %s", (order) => {
    for (const list of LISTS) {
      const route = { jobId: ID, list, order, filter: FILTER, hitId: HIT };
      expect(parseRoute(formatRoute(ID, route))).toEqual(route);
    }
  });

  it("of a job is short", () => {
    expect(formatRoute(ID)).toBe(`#/jobs/${ID}`);
  });

  it("of a filtered list can be read", () => {
    expect(formatRoute(ID, { filter: { ...NO_FILTER, interactions: ["HBond@A:GLU80"] } })).toBe(
      `#/jobs/${ID}?interactions=HBond@A:GLU80`,
    );
  });

  it.each(["", "#", "#/jobs/", "#/jobs/1", `#/jobs/${ID}x`, `#/jobs/${ID}/..`, `#/other/${ID}`])(
    "%j names no job",
    (hash) => {
      expect(parseRoute(hash)).toEqual({ jobId: null, list: "hits", order: "score", filter: NO_FILTER, hitId: null });
    },
  );

  it("with an order that there is not falls back to the score", () => {
    expect(parseRoute(`#/jobs/${ID}?order=affinity`).order).toBe("score");
  });

  it.each(["", "1", `${HIT}/..`, `../${HIT}`])("with %j for a hit opens none", (hit) => {
    expect(parseRoute(`#/jobs/${ID}?hit=${hit}`).hitId).toBeNull();
  });
});
