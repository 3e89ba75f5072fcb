import { useQuery } from "@tanstack/react-query";

import { clustersQuery } from "../api/analysis-queries";
import type { LigandAnalysis, LigandProperties } from "../api/client";
import { count } from "../state/format";
import type { Route } from "../state/route";
import { clusterOf } from "./clusters";
import { type Fact, Facts } from "./RowDetails";

interface Props {
  jobId: string;
  found: LigandAnalysis;
  isAnalysed: boolean;
  address: (part: Partial<Route>) => string;
}

/** What is known of the molecule, wherever it lies. */
export function LigandSection({ jobId, found, isAnalysed, address }: Props) {
  const { ranks, properties } = found;
  return (
    <>
      <Facts
        facts={[
          { term: "Rank by score", text: count(ranks.score) },
          { term: "By efficiency", text: count(ranks.ligand_efficiency) },
          { term: "Size-corrected", text: count(ranks.size_corrected_score) },
        ]}
      />
      {properties === null ? (
        <p className="quiet">Descriptors and alerts were not computed when this ligand was docked.</p>
      ) : (
        <>
          <Facts facts={descriptors(properties)} />
          <Alerts alerts={properties.alerts} />
        </>
      )}
      {isAnalysed && <Cluster jobId={jobId} ligandId={found.ligand_id} address={address} />}
    </>
  );
}

function Alerts({ alerts }: { alerts: readonly string[] }) {
  if (alerts.length === 0) return <p>No structural alerts of PAINS, BRENK and NIH.</p>;
  return (
    <>
      <p>{count(alerts.length, "structural alert")}, a reason to look:</p>
      <ul className="alerts">
        {alerts.map((alert) => (
          <li key={alert}>{alert.replace(":", ": ").replaceAll("_", " ")}</li>
        ))}
      </ul>
    </>
  );
}

function Cluster({ jobId, ligandId, address }: { jobId: string; ligandId: string; address: Props["address"] }) {
  const { data, error } = useQuery(clustersQuery(jobId));
  if (data === undefined) return <p className="quiet">{error ? `No clusters: ${error.message}` : "Clustering…"}</p>;
  const cluster = clusterOf(data, ligandId);
  if (cluster === undefined) {
    return <p className="quiet">Not among the {count(data.n_ligands)} best analysed hits, which are clustered.</p>;
  }
  if (cluster.size === 1) return <p>No similar molecule among the {count(data.n_ligands, "analysed hit")}.</p>;
  const others = count(cluster.size - 1, "similar analysed hit");
  if (cluster.leader === ligandId) return <p>Best of its cluster, with {others}.</p>;
  return (
    <p>
      In a cluster with {others}; the best is <a href={address({ hitId: cluster.leader })}>{cluster.name}</a>.
    </p>
  );
}

function descriptors(found: LigandProperties): Fact[] {
  return [
    { term: "QED", text: found.qed.toFixed(2) },
    { term: "logP", text: found.logp.toFixed(1) },
    { term: "TPSA, Å²", text: found.tpsa.toFixed(0) },
    { term: "H-bond donors", text: count(found.h_bond_donors) },
    { term: "H-bond acceptors", text: count(found.h_bond_acceptors) },
    { term: "Rotatable bonds", text: count(found.rotatable_bonds) },
    { term: "Rings", text: count(found.rings) },
    { term: "Fraction sp³", text: found.fraction_sp3.toFixed(2) },
  ];
}
