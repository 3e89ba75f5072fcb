import { useQuery } from "@tanstack/react-query";

import { waitingQuery } from "../api/queries";

// With these codes the job is moving; its progress bar says the rest.
const MOVING = new Set(["running", "all_running", "finished"]);

export function WhyWaiting({ jobId }: { jobId: string }) {
  const { data } = useQuery(waitingQuery(jobId));
  return data && !MOVING.has(data.code) ? <p className="waiting">{data.message}</p> : null;
}
