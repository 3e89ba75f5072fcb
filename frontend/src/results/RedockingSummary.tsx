import { useQuery } from "@tanstack/react-query";

import { API, type Job, type Redocking } from "../api/client";
import { redockingQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { verdictText } from "../jobs/verdicts";
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
    <div className="redocking">
      {data.verdict ? (
        <>
          <p className={`judged judged-${data.verdict.verdict}`}>{verdictText(data.verdict)}</p>
          <p className="quiet">The rule: {data.verdict.rule}.</p>
        </>
      ) : (
        <p className="quiet">The verdict appears here when all runs have ended.</p>
      )}
      <Runs runs={data.runs} />
      {data.verdict && (
        <FileLink path={`${API}/jobs/${job.id}/redocking/poses.sdf`} fileName="poses.sdf">
          Poses (SDF)
        </FileLink>
      )}
    </div>
  );
}

function Runs({ runs }: { runs: Redocking["runs"] }) {
  return (
    <table className="facts-table" aria-label="Runs">
      <thead>
        <tr>
          <th scope="col">Run</th>
          <th scope="col" className="end">
            Seed
          </th>
          <th scope="col" className="end">
            Best-scored pose <small>Å from the native</small>
          </th>
          <th scope="col" className="end">
            Nearest pose <small>Å from the native</small>
          </th>
          <th scope="col" className="end">
            Score <small>kcal/mol</small>
          </th>
          <th scope="col">Remark</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <tr key={run.run_no}>
            <th scope="row">{run.run_no}</th>
            <td className="end">{run.seed}</td>
            <td className="end">{run.top_rmsd_angstrom?.toFixed(2) ?? "–"}</td>
            <td className="end">{run.best_rmsd_angstrom?.toFixed(2) ?? "–"}</td>
            <td className="end">{run.top_score_kcal_mol?.toFixed(2) ?? "–"}</td>
            <td>{run.message || (run.top_rmsd_angstrom === null ? "waits" : "")}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
