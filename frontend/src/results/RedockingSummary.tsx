import { useQuery } from "@tanstack/react-query";

import { API, type Job, type Redocking } from "../api/client";
import { redockingQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { FileLink } from "./FileLink";

/** The verdict of a redocking in words, and what each of its runs found. */
export function RedockingSummary({ job }: { job: Job }) {
  const { data, error, refetch } = useQuery(redockingQuery(job));
  if (data === undefined) {
    if (error) {
      return <ErrorNotice title="The redocking could not be loaded." error={error} onRetry={() => void refetch()} />;
    }
    return <p className="empty">Loading the redocking…</p>;
  }
  return (
    <>
      <p>
        {data.verdict ? (
          <>
            <strong>{data.verdict.verdict}</strong>: {data.verdict.sentence}
          </>
        ) : (
          "The verdict appears here when all runs have ended."
        )}
      </p>
      <ul aria-label="Runs">
        {data.runs.map((run) => (
          <li key={run.run_no}>{runText(run)}</li>
        ))}
      </ul>
      <FileLink path={`${API}/jobs/${job.id}/redocking/poses.sdf`} fileName="poses.sdf">
        Poses (SDF)
      </FileLink>
    </>
  );
}

function runText(run: Redocking["runs"][number]): string {
  const name = `Run ${String(run.run_no)}, seed ${String(run.seed)}`;
  if (run.top_rmsd_angstrom === null || run.top_score_kcal_mol === null) return `${name}: ${run.message || "waits"}`;
  return `${name}: ${run.top_rmsd_angstrom.toFixed(2)} Å from the native pose, ${run.top_score_kcal_mol.toFixed(2)} kcal/mol`;
}
