import type { Job } from "../api/client";

export const KIND: Record<Job["kind"], string> = { prepare: "Preparation", ingest: "Library", screen: "Screen" };

export const STATE: Record<Job["state"], string> = {
  planning: "Planning",
  running: "Running",
  paused: "Paused",
  cancelling: "Cancelling",
  completed: "Completed",
  failed: "Failed",
  cancelled: "Cancelled",
};

/** Nothing will change any more. */
export function isFinal(job: Job): boolean {
  return job.state === "completed" || job.state === "failed" || job.state === "cancelled";
}

/** Whether the user may stop it now. */
export function canCancel(job: Job): boolean {
  return !isFinal(job) && job.state !== "cancelling";
}
