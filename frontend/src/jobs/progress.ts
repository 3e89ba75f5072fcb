import type { JobCounts } from "../api/client";

export type OutcomeCounts = Pick<JobCounts, "scored" | "rejected" | "rejected_at_reading" | "cancelled" | "waiting">;

export type Outcome = "scored" | "rejected" | "cancelled" | "waiting";

export const OUTCOMES: readonly Outcome[] = ["scored", "rejected", "cancelled", "waiting"];

/** Where the input of a job is. The four outcomes sum to `total`, always: no record is shown twice or lost. */
export interface Progress extends Readonly<Record<Outcome, number>> {
  readonly total: number;
  /** Whole percents with an outcome; 100 only when nothing waits. */
  readonly percentDone: number;
}

export function progressOf(counts: OutcomeCounts): Progress {
  const scored = counts.scored;
  const rejected = counts.rejected + counts.rejected_at_reading;
  const { cancelled, waiting } = counts;
  const total = scored + rejected + cancelled + waiting;
  const percentDone = total === 0 ? 0 : Math.floor((100 * (total - waiting)) / total);
  return { scored, rejected, cancelled, waiting, total, percentDone };
}

/** "21,400 scored, 352 rejected, 38,248 waiting": outcomes that did not happen are left out. */
export function describe(progress: Progress): string {
  const parts = OUTCOMES.filter((outcome) => progress[outcome] > 0).map(
    (outcome) => `${progress[outcome].toLocaleString("en")} ${outcome}`,
  );
  return parts.length > 0 ? parts.join(", ") : "nothing counted yet";
}
