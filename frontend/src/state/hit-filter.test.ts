import { describe, expect, it } from "vitest";

import {
  filterQuery,
  type HitFilter,
  isFiltered,
  NO_FILTER,
  parseFilter,
  withCatalogue,
  withInteraction,
  withoutInteraction,
} from "./hit-filter";

const FULL: HitFilter = { valid: true, interactions: ["HBond@A:GLU80"], withoutAlerts: ["PAINS", "NIH"] };

describe("the filter of a hit list", () => {
  it("goes to the API in its own names", () => {
    expect(filterQuery(FULL)).toEqual({
      valid: true,
      interactions: ["HBond@A:GLU80"],
      without_alerts: ["PAINS", "NIH"],
    });
  });

  it("that filters nothing asks for nothing", () => {
    expect(filterQuery(NO_FILTER)).toEqual({});
    expect(isFiltered(NO_FILTER)).toBe(false);
  });

  it.each([{ valid: true }, { interactions: ["Any@A:GLU80"] }, { withoutAlerts: ["NIH" as const] }])(
    "is one with %o alone",
    (part) => {
      expect(isFiltered({ ...NO_FILTER, ...part })).toBe(true);
    },
  );

  it("keeps a condition that it cannot read, for the API to explain", () => {
    expect(parseFilter(new URLSearchParams("interactions=nonsense")).interactions).toEqual(["nonsense"]);
  });

  it.each(["valid=1", "valid=false", "interactions=", "interactions=%20", "without_alerts=pains", "affinity=9"])(
    "takes %j for none",
    (query) => {
      expect(parseFilter(new URLSearchParams(query))).toEqual(NO_FILTER);
    },
  );

  it("holds each condition once and gives it back", () => {
    const twice = withInteraction(withInteraction(FULL, "Any@A:TYR7"), "HBond@A:GLU80");
    expect(twice.interactions).toEqual(["HBond@A:GLU80", "Any@A:TYR7"]);
    expect(withoutInteraction(twice, "HBond@A:GLU80").interactions).toEqual(["Any@A:TYR7"]);
    expect(withoutInteraction(FULL, "HBond@A:GLU8")).toEqual(FULL);
  });

  it("names catalogues in one order, whichever was chosen first", () => {
    const chosen = withCatalogue(withCatalogue(NO_FILTER, "NIH", true), "PAINS", true);
    expect(chosen.withoutAlerts).toEqual(["PAINS", "NIH"]);
    expect(withCatalogue(chosen, "PAINS", false).withoutAlerts).toEqual(["NIH"]);
    expect(withCatalogue(chosen, "BRENK", false)).toEqual(chosen);
  });
});
