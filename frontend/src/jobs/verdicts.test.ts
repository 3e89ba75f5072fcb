import { describe, expect, it } from "vitest";

import type { Enrichment } from "../api/client";
import { enrichmentText, estimateText, verdictText } from "./verdicts";

const RULE = "";

describe("a verdict", () => {
  it.each([
    ["green" as const, "✓ Green: the native pose came first in 3 of 3 runs."],
    ["amber" as const, "! Amber: the native pose came first in 3 of 3 runs."],
    ["red" as const, "✗ Red: the native pose came first in 3 of 3 runs."],
  ])("of %s is told by mark and word, not by colour alone", (verdict, text) => {
    const sentence = "The native pose came first in 3 of 3 runs.";
    expect(verdictText({ verdict, sentence, rule: RULE })).toBe(text);
  });

  it("on a ranking never stands without that by size", () => {
    const auc = (value: number) => ({ roc_auc: { value, low: value, high: value } });
    const found = { docking: auc(0.784), size: auc(0.6) } as Enrichment;
    expect(enrichmentText(found)).toBe("ROC-AUC 0.78; by size alone 0.60");
  });

  it("tells a figure with its interval", () => {
    expect(estimateText({ value: 0.78, low: 0.7, high: 0.849 })).toBe("0.78 (0.70 to 0.85)");
    expect(estimateText({ value: -1.26, low: -3, high: 1 }, 1)).toBe("-1.3 (-3.0 to 1.0)");
  });
});
