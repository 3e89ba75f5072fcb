import { useQuery } from "@tanstack/react-query";

import type { Job } from "../api/client";
import { jobQuery } from "../api/queries";
import { describe, progressOf } from "../jobs/progress";
import { formatRoute } from "../state/route";

/** An analysis has no list of its own: what it finds stands with the hits of its screen. */
export function AnalysisSummary({ job }: { job: Job }) {
  const { data: screen } = useQuery({ ...jobQuery(job.screen_id ?? "", false), enabled: job.screen_id !== null });
  return (
    <div className="empty">
      <p>Ligands: {describe(progressOf(job.counts), job.kind)}.</p>
      {job.screen_id !== null && (
        <p>
          What is found stands with the hits of <a href={formatRoute(job.screen_id)}>{screen?.name ?? "its screen"}</a>.
        </p>
      )}
    </div>
  );
}
