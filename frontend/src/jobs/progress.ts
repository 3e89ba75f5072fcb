import type { Job, JobCounts } from "../api/client";
import { count } from "../state/format";

export type OutcomeCounts = Pick<JobCounts, "scored" | "rejected" | "rejected_at_reading" | "cancelled" | "waiting">;

export type Outcome = "scored" | "rejected" | "cancelled" | "waiting";

export const OUTCOMES: readonly Outcome[] = ["scored", "rejected", "cancelled", "waiting"];

/** Where the ligands of a job are. The four outcomes sum to `total`, always: none is shown twice or lost. */
export interface Progress extends Readonly<Record<Outcome, number>> {
  /** Ligands to dock: records that could not be read are none, and are no progress. */
  readonly total: number;
  readonly unreadable: number;
  /** Whole percents of the ligands that were docked; what was cancelled was not. */
  readonly percentDone: number;
}

export function progressOf(counts: OutcomeCounts): Progress {
  const { scored, rejected, cancelled, waiting } = counts;
  const total = scored + rejected + cancelled + waiting;
  const percentDone = total === 0 ? 0 : Math.floor((100 * (scored + rejected)) / total);
  return { scored, rejected, cancelled, waiting, total, unreadable: counts.rejected_at_reading, percentDone };
}

// The counts of an analysis are of ligands that have their score already.
const OF_AN_ANALYSIS: Record<Outcome, string> = {
  scored: "analysed",
  rejected: "could not be analysed",
  cancelled: "cancelled",
  waiting: "waiting",
};

/** "21,400 scored, 352 rejected, 38,248 waiting": outcomes that did not happen are left out. */
export function describe(progress: Progress, kind: Job["kind"] = "screen"): string {
  const parts = OUTCOMES.filter((outcome) => progress[outcome] > 0).map(
    (outcome) => `${count(progress[outcome])} ${kind === "analyse" ? OF_AN_ANALYSIS[outcome] : outcome}`,
  );
  if (progress.unreadable > 0) parts.push(`${count(progress.unreadable, "record")} unreadable`);
  return parts.length > 0 ? parts.join(", ") : "nothing counted yet";
}
