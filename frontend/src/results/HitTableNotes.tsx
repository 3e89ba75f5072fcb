import { ApiError } from "../api/errors";
import type { Job } from "../api/client";
import { ErrorNotice } from "../components/ErrorNotice";
import { isFinal } from "../jobs/words";
import { count } from "../state/format";
import { type HitFilter, isFiltered } from "../state/hit-filter";
import { isNothing, type Newer } from "./newer";

export function NewerHits({ newer, onUpdate }: { newer: Newer; onUpdate: () => void }) {
  if (isNothing(newer)) return null;
  const parts = [
    ...(newer.scored > 0 ? [`${count(newer.scored)} more scored`] : []),
    ...(newer.analysed > 0 ? [`${count(newer.analysed)} more analysed`] : []),
  ];
  return (
    <button type="button" className="newer" onClick={onUpdate}>
      {parts.join(", ")} since; update the list
    </button>
  );
}

interface ProblemProps {
  error: Error;
  hasHits: boolean;
  onRetry: () => void;
}

/** A filter that the server cannot read stays in the bar above, to be mended or taken away. */
export function HitsProblem({ error, hasHits, onRetry }: ProblemProps) {
  const isRefused = error instanceof ApiError && error.status === 422;
  if (isRefused) return <ErrorNotice title="The hits cannot be filtered by this." error={error} />;
  const title = hasHits ? "More hits could not be loaded." : "The hit list could not be loaded.";
  return <ErrorNotice title={title} error={error} onRetry={onRetry} />;
}

interface NoHitsProps {
  job: Job;
  filter: HitFilter;
  nAnalysed: number;
}

export function NoHits({ job, filter, nAnalysed }: NoHitsProps) {
  if (!isFiltered(filter)) {
    const said = isFinal(job) ? "No ligand was scored." : "No ligand is scored yet. Hits appear here as they come in.";
    return <p className="empty">{said}</p>;
  }
  const asksPoses = filter.valid || filter.interactions.length > 0;
  return (
    <p className="empty">
      No hit passes these filters.
      {asksPoses && nAnalysed < job.counts.scored && " Hits that are not analysed are not among those asked for."}
    </p>
  );
}
