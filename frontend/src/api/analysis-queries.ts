import { type QueryClient, queryOptions } from "@tanstack/react-query";

import { type AnalysisCreate, api, type Job, type LigandAnalysis, unwrap } from "./client";

const keys = {
  analysed: (id: string) => ["analysed", id] as const,
  analysis: (id: string, ligandId: string) => ["analysis", id, ligandId] as const,
  clusters: (id: string) => ["clusters", id] as const,
};

/** How many hits of a job are analysed. */
export function analysedQuery(id: string) {
  return queryOptions({
    queryKey: keys.analysed(id),
    queryFn: async ({ signal }): Promise<number> => {
      const params = { path: { job_id: id }, query: { analysed: true, limit: 1, with_total: true } };
      const { total } = await unwrap(api.GET("/api/v1/jobs/{job_id}/hits", { params, signal }));
      return total ?? 0;
    },
  });
}

export function analysisQuery(id: string, ligandId: string) {
  return queryOptions({
    queryKey: keys.analysis(id, ligandId),
    queryFn: ({ signal }): Promise<LigandAnalysis> => {
      const params = { path: { job_id: id, ligand_id: ligandId } };
      return unwrap(api.GET("/api/v1/jobs/{job_id}/ligands/{ligand_id}/analysis", { params, signal }));
    },
  });
}

/** The analysed hits in groups of similar molecules; the server compares them anew for each answer. */
export function clustersQuery(id: string) {
  return queryOptions({
    queryKey: keys.clusters(id),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/jobs/{job_id}/clusters", { params: { path: { job_id: id } }, signal })),
    staleTime: Infinity,
  });
}

/** Asks for the analysis of one ligand's poses; the answer is the job that does it. */
export function analyse(id: string, ligandId: string): Promise<Job> {
  const params = { path: { job_id: id } };
  // The generated types demand what has a default, too.
  const body = { ligand_ids: [ligandId] } as AnalysisCreate;
  return unwrap(api.POST("/api/v1/jobs/{job_id}/analyses", { params, body }));
}

/** Fetches anew what is shown of the analyses of a screen's poses. */
export function refreshAnalyses(client: QueryClient, screenId: string): void {
  for (const what of ["analysed", "analysis", "clusters", "hit"]) {
    void client.invalidateQueries({ queryKey: [what, screenId] });
  }
}
