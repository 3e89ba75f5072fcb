import { describe, expect, it } from "vitest";

import { describe as say, type OutcomeCounts, OUTCOMES, progressOf } from "./progress";

function counts(
  scored: number,
  rejected: number,
  atReading: number,
  cancelled: number,
  waiting: number,
): OutcomeCounts {
  return { scored, rejected, rejected_at_reading: atReading, cancelled, waiting };
}

const CASES = [
  counts(0, 0, 0, 0, 0),
  counts(0, 0, 5, 0, 55),
  counts(53, 2, 5, 0, 0),
  counts(1200, 30, 0, 3770, 0),
  counts(999_999, 0, 0, 0, 1),
  counts(1, 1, 1, 1, 1),
];

describe("progress", () => {
  it.each(CASES)("shows every record of the input exactly once: %o", (given) => {
    const progress = progressOf(given);
    const input = Object.values(given).reduce((sum, part) => sum + part, 0);
    expect(OUTCOMES.reduce((sum, outcome) => sum + progress[outcome], 0)).toBe(progress.total);
    expect(progress.total + progress.unreadable).toBe(input);
  });

  it("takes records that could not be read for no progress", () => {
    expect(progressOf(counts(0, 0, 5, 0, 55)).percentDone).toBe(0);
    expect(progressOf(counts(53, 2, 5, 0, 0)).percentDone).toBe(100);
  });

  it("takes what was cancelled for not done", () => {
    expect(progressOf(counts(4, 1, 2, 15, 0)).percentDone).toBe(25);
    expect(progressOf(counts(0, 0, 0, 3, 0)).percentDone).toBe(0);
  });

  it("says 100 % only when all are docked", () => {
    expect(progressOf(counts(999_999, 0, 0, 0, 1)).percentDone).toBe(99);
    expect(progressOf(counts(999_999, 1, 0, 0, 0)).percentDone).toBe(100);
    expect(progressOf(counts(0, 0, 0, 0, 0)).percentDone).toBe(0);
  });

  it("is told in words without outcomes that did not happen", () => {
    expect(say(progressOf(counts(21_400, 310, 42, 0, 38_248)))).toBe(
      "21,400 scored, 310 rejected, 38,248 waiting, 42 records unreadable",
    );
    expect(say(progressOf(counts(4, 0, 1, 2, 0)))).toBe("4 scored, 2 cancelled, 1 record unreadable");
    expect(say(progressOf(counts(0, 0, 0, 0, 0)))).toBe("nothing counted yet");
  });

  it("of an analysis never calls what it looked at scored or rejected", () => {
    expect(say(progressOf(counts(90, 2, 0, 0, 8)), "analyse")).toBe("90 analysed, 2 could not be analysed, 8 waiting");
    expect(say(progressOf(counts(0, 0, 0, 4, 0)), "analyse")).toBe("4 cancelled");
  });
});
