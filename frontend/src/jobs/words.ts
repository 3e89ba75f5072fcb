import type { Job, Waiting } from "../api/client";

export const KIND: Record<Job["kind"], string> = {
  prepare: "Preparation",
  ingest: "Library",
  screen: "Screen",
  redock: "Redocking",
  validate: "Validation",
  analyse: "Analysis",
  rescore: "Rescoring",
};

/** Whether the job docks ligands of a library, and so has hits. */
export function hasHits(job: Job): boolean {
  return job.kind === "screen" || job.kind === "validate";
}

/** Whether the job's counts are ligands: to dock, or to analyse. */
export function countsLigands(job: Job): boolean {
  return hasHits(job) || job.kind === "analyse";
}

export const STATE: Record<Job["state"], string> = {
  planning: "Planning",
  running: "Running",
  paused: "Paused",
  cancelling: "Cancelling",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

// With these codes of `/waiting` nothing of the job runs, whatever its state.
const STANDING_STILL: ReadonlySet<Waiting["code"]> = new Set([
  "no_workers",
  "no_worker_for_engine",
  "no_worker_for_queue",
  "queued_behind_other_jobs",
]);

/** Whether somebody looking at the job should be told that it waits. */
export function standsStill(waiting: Waiting): boolean {
  return STANDING_STILL.has(waiting.code);
}

/** Nothing will change any more. */
export function isFinal(job: Job): boolean {
  return job.state === "completed" || job.state === "failed" || job.state === "cancelled";
}

/** Whether the user may stop it now. */
export function canCancel(job: Job): boolean {
  return !isFinal(job) && job.state !== "cancelling";
}
