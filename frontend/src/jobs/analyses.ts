import type { Job } from "../api/client";
import { isFinal } from "./words";

/** How many ligands of a screen the known jobs have looked at since they were asked for; it only grows. */
export function countAnalysed(jobs: readonly Job[], screenId: string): number {
  return jobs
    .filter((job) => job.screen_id === screenId)
    .reduce((sum, { counts }) => sum + counts.scored + counts.rejected, 0);
}

/** The analyses of a screen's poses that have not ended. */
export function openAnalyses(jobs: readonly Job[], screenId: string): Job[] {
  return jobs.filter((job) => job.screen_id === screenId && !isFinal(job));
}
