import { useQuery } from "@tanstack/react-query";

import type { Enrichment, Job } from "../api/client";
import { validationQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { estimateText } from "../jobs/verdicts";
import { count } from "../state/format";

/** How well the ranking below tells actives from decoys, beside a ranking by size alone. */
export function ValidationSummary({ job }: { job: Job }) {
  const { data, error, refetch } = useQuery(validationQuery(job));
  if (data === undefined) {
    if (error === null) return <p className="summary">Loading the metrics…</p>;
    return <ErrorNotice title="The metrics could not be loaded." error={error} onRetry={() => void refetch()} />;
  }
  if (data.enrichment === null) {
    return <p className="summary">The metrics appear here when every ligand has an outcome.</p>;
  }
  return <Metrics found={data.enrichment} />;
}

function Metrics({ found }: { found: Enrichment }) {
  const percent = Math.round(100 * found.confidence);
  return (
    <div className="summary">
      <table className="facts-table">
        <caption>
          {count(found.n_actives, "active")}, {count(found.n_decoys, "decoy")}; with {percent} % intervals
        </caption>
        <thead>
          <tr>
            <th scope="col">Ranked by</th>
            <th scope="col">ROC-AUC</th>
            <th scope="col">BEDROC, α {found.bedroc_alpha}</th>
            <th scope="col">EF 1 %</th>
            <th scope="col">EF 5 %</th>
          </tr>
        </thead>
        <tbody>
          <Row name="Docking score" metrics={found.docking} />
          <Row name="Size alone" metrics={found.size} />
          <Row name="Difference" metrics={found.difference} />
        </tbody>
      </table>
      <p>
        An EF 1 % of {found.max_ef1.toFixed(1)} is the most that these numbers allow; ROC-AUC 0.5 and EF 1 are chance.
      </p>
    </div>
  );
}

function Row({ name, metrics }: { name: string; metrics: Enrichment["docking"] }) {
  return (
    <tr>
      <th scope="row">{name}</th>
      <td>{estimateText(metrics.roc_auc)}</td>
      <td>{estimateText(metrics.bedroc)}</td>
      <td>{estimateText(metrics.ef1, 1)}</td>
      <td>{estimateText(metrics.ef5, 1)}</td>
    </tr>
  );
}
