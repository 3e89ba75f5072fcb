import { describe, expect, it } from "vitest";

import type { Job } from "../api/client";
import { NO_FILTER } from "../state/hit-filter";
import { analysisText, countText } from "./hit-words";

function job(counts: Partial<Job["counts"]>): Job {
  return { counts: { input: 0, scored: 0, rejected: 0, waiting: 0, ...counts } } as Job;
}

const SCREEN = job({ scored: 1480 });
const VALID = { ...NO_FILTER, valid: true };

describe("the count over a hit list", () => {
  it("is how many of how many where there is a filter", () => {
    expect(countText(SCREEN, 12, VALID, 100, [])).toBe("12 of 1,480 hits");
    expect(countText(SCREEN, 0, VALID, 100, [])).toBe("0 of 1,480 hits");
    expect(countText(job({ scored: 1 }), 1, VALID, 1, [])).toBe("1 of 1 hit");
  });

  it("is never a guess", () => {
    expect(countText(SCREEN, null, VALID, 100, [])).toBe("Counting…");
  });

  it("without a filter tells how many are analysed, if any", () => {
    expect(countText(SCREEN, 1480, NO_FILTER, 100, [])).toBe("1,480 hits, 100 analysed");
    expect(countText(SCREEN, 1480, NO_FILTER, 0, [])).toBe("1,480 hits");
  });

  it("tells what is being analysed", () => {
    const open = [job({ waiting: 3 }), job({ waiting: 1 })];
    expect(countText(SCREEN, 1480, NO_FILTER, 0, open)).toBe("1,480 hits, 4 being analysed");
    expect(countText(SCREEN, 1480, NO_FILTER, 5, [job({ waiting: 0 })])).toBe("1,480 hits, 5 analysed");
  });
});

describe("an analysis", () => {
  it("is as far as it has looked, whatever came of it", () => {
    expect(analysisText(job({ input: 5, scored: 2, rejected: 1, waiting: 2 }))).toBe("3 of 5 ligands analysed");
    expect(analysisText(job({ input: 1, waiting: 1 }))).toBe("0 of 1 ligand analysed");
  });
});
