import { useQuery } from "@tanstack/react-query";

import type { Job } from "../api/client";
import { waitingQuery } from "../api/queries";
import { isFinal, standsStill, STATE } from "./words";

/** The job's state in a word; a job of which nothing runs is called waiting, though the server counts it as running. */
export function StateBadge({ job }: { job: Job }) {
  const { data } = useQuery({ ...waitingQuery(job.id), enabled: !isFinal(job) });
  const mayWait = job.state === "running" || job.state === "planning";
  const waits = mayWait && data !== undefined && standsStill(data);
  return <span className={`state state-${waits ? "waiting" : job.state}`}>{waits ? "Waiting" : STATE[job.state]}</span>;
}
