import type { Enrichment, Estimate, Redocking } from "../api/client";

const NAME: Record<NonNullable<Redocking["verdict"]>["verdict"], string> = {
  green: "✓ Green",
  amber: "! Amber",
  red: "✗ Red",
};

/** "✓ Green: the native pose came first in 3 of 3 runs." */
export function verdictText({ verdict, sentence }: NonNullable<Redocking["verdict"]>): string {
  return `${NAME[verdict]}: ${sentence.charAt(0).toLowerCase()}${sentence.slice(1)}`;
}

/** The figure that a validation is remembered by, beside what size alone achieves. */
export function enrichmentText({ docking, size }: Enrichment): string {
  return `ROC-AUC ${docking.roc_auc.value.toFixed(2)}; by size alone ${size.roc_auc.value.toFixed(2)}`;
}

/** "0.78 (0.70 to 0.85)": a figure with its interval. */
export function estimateText({ value, low, high }: Estimate, digits = 2): string {
  return `${value.toFixed(digits)} (${low.toFixed(digits)} to ${high.toFixed(digits)})`;
}
