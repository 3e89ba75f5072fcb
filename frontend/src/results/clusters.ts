import type { ClusterList } from "../api/client";

/** The cluster that a ligand is in; none if it was not among those compared. */
export function clusterOf(clusters: ClusterList, ligandId: string): ClusterList["items"][number] | undefined {
  return clusters.items.find((cluster) => cluster.ligand_ids.includes(ligandId));
}
