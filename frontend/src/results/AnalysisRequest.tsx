import { useMutation, useMutationState, useQuery, useQueryClient } from "@tanstack/react-query";

import { analyse } from "../api/analysis-queries";
import type { Job, LigandAnalysis } from "../api/client";
import { jobQuery, storeJob } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { WhyWaiting } from "../jobs/WhyWaiting";
import { isFinal } from "../jobs/words";
import { analysisText } from "./hit-words";

interface Props {
  job: Job;
  ligandId: string;
  found: LigandAnalysis;
  /** Analyses of this screen that have not ended; they may be about this ligand. */
  open: readonly Job[];
}

/** Where poses are not analysed: says so, and asks for it. */
export function AnalysisRequest({ job, ligandId, found, open }: Props) {
  const client = useQueryClient();
  const mutationKey = ["analyse", job.id, ligandId];
  const request = useMutation({
    mutationKey,
    mutationFn: () => analyse(job.id, ligandId),
    onSuccess: (submitted) => {
      storeJob(client, submitted);
    },
  });
  // Still known after another hit was looked at.
  const submitted = useMutationState({
    filters: { mutationKey },
    select: ({ state }) => state.data as Job | undefined,
  });
  const askedId = submitted.at(-1)?.id;
  const { data: asked } = useQuery({ ...jobQuery(askedId ?? "", false), enabled: askedId !== undefined });
  const isAsked = request.isPending || (asked !== undefined && !isFinal(asked));

  if (job.kind !== "screen") return <p>Only the poses of screens are analysed.</p>;
  return (
    <>
      <p>
        {found.poses.length === 0 ? "The poses of this ligand are not analysed." : "Not every pose could be analysed."}
      </p>
      {open.map((analysis) => (
        <div key={analysis.id}>
          <p role="status">
            {analysis.id === askedId ? "Asked for" : "Under way in this screen"}: {analysisText(analysis)}.
          </p>
          <WhyWaiting jobId={analysis.id} />
        </div>
      ))}
      <button
        type="button"
        disabled={isAsked}
        onClick={() => {
          request.mutate();
        }}
      >
        {found.poses.length === 0 ? "Analyse this ligand" : "Try again"}
      </button>
      {asked?.error && <p className="job-error">{asked.error.message}</p>}
      {request.error && <ErrorNotice title="The analysis could not be asked for." error={request.error} />}
    </>
  );
}
