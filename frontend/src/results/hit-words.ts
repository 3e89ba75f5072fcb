import type { Job } from "../api/client";
import { count } from "../state/format";
import { type HitFilter, isFiltered } from "../state/hit-filter";

/** "12 of 480 hits", or without a filter "480 hits, 100 analysed"; what is being analysed is told in both. */
export function countText(
  job: Job,
  total: number | null,
  filter: HitFilter,
  nAnalysed: number,
  open: readonly Job[],
): string {
  if (total === null) return "Counting…";
  const waiting = open.reduce((sum, analysis) => sum + analysis.counts.waiting, 0);
  const hits = isFiltered(filter)
    ? `${count(total)} of ${count(job.counts.scored, "hit")}`
    : [count(total, "hit"), ...(nAnalysed > 0 ? [`${count(nAnalysed)} analysed`] : [])].join(", ");
  return waiting > 0 ? `${hits}, ${count(waiting)} being analysed` : hits;
}

/** How far an analysis is. */
export function analysisText({ counts }: Pick<Job, "counts">): string {
  const done = counts.scored + counts.rejected;
  return `${count(done)} of ${count(counts.input, "ligand")} analysed`;
}
