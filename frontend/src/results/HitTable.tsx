import { useInfiniteQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";

import { API, type Hit, type HitOrder, type Job } from "../api/client";
import { flatten } from "../api/paging";
import { hitsQuery, reloadHits } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { VirtualTable } from "../components/VirtualTable";
import { isFinal } from "../jobs/words";
import { count } from "../state/format";
import { formatRoute, goTo } from "../state/route";
import { FileLink } from "./FileLink";
import { hitColumns } from "./hit-columns";
import { type Fact, RowDetails } from "./RowDetails";
import { useNewerHits } from "./useNewerHits";

const keyOf = (hit: Hit): string => hit.ligand_id;
const NONE: never[] = [];

export function HitTable({ job, order }: { job: Job; order: HitOrder }) {
  const client = useQueryClient();
  const query = useInfiniteQuery(hitsQuery(client, job.id, order));
  const [activeKey, activate] = useState<string | null>(null);
  const [atTop, setAtTop] = useState(true);
  const pages = query.data?.pages ?? NONE;
  const hits = useMemo(() => flatten(pages, keyOf), [pages]);
  const active = hits.find((hit) => keyOf(hit) === activeKey);
  const loaded = { pages, loadedAt: query.dataUpdatedAt, isFetching: query.isFetching };
  const newer = useNewerHits(job, order, loaded, atTop && active === undefined);
  const { fetchNextPage } = query;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const columns = useMemo(
    () =>
      hitColumns(order, (next) => {
        goTo(formatRoute(job.id, "hits", next));
      }),
    [job.id, order],
  );

  if (query.error && hits.length === 0) {
    return (
      <ErrorNotice title="The hit list could not be loaded." error={query.error} onRetry={() => void query.refetch()} />
    );
  }
  if (query.isPending) return <p className="empty">Loading the hit list…</p>;
  return (
    <>
      {newer > 0 && (
        <button type="button" className="newer" onClick={() => void reloadHits(client, job.id, order)}>
          {count(newer)} more scored since; update the list
        </button>
      )}
      {query.error && (
        <ErrorNotice
          title="More hits could not be loaded."
          error={query.error}
          onRetry={() => void query.fetchNextPage()}
        />
      )}
      {hits.length === 0 ? (
        <p className="empty">
          {isFinal(job) ? "No ligand was scored." : "No ligand is scored yet. Hits appear here as they come in."}
        </p>
      ) : (
        <VirtualTable
          key={order}
          className={query.isPlaceholderData ? "hits reordering" : "hits"}
          label={`Hit list of ${job.name}`}
          columns={columns}
          rows={hits}
          keyOf={keyOf}
          total={Math.max(job.counts.scored, hits.length)}
          active={activeKey}
          onActivate={activate}
          hasMore={query.hasNextPage && !query.isFetchNextPageError}
          isLoadingMore={query.isFetching}
          onNeedMore={loadMore}
          onTop={setAtTop}
        />
      )}
      {active && (
        <RowDetails
          label="Selected hit"
          facts={factsOf(active)}
          onClose={() => {
            activate(null);
          }}
        >
          <FileLink
            path={`${API}/jobs/${job.id}/ligands/${active.ligand_id}/poses.sdf`}
            fileName={`${active.name}.sdf`}
          >
            Poses (SDF)
          </FileLink>
        </RowDetails>
      )}
    </>
  );
}

function factsOf(hit: Hit): Fact[] {
  const facts: Fact[] = [
    { term: "Name", text: hit.name },
    { term: "Docking score", text: `${hit.score_kcal_mol.toFixed(3)} kcal/mol` },
    { term: "InChIKey", text: hit.inchikey, isCode: true },
    { term: "SMILES", text: hit.smiles, isCode: true },
  ];
  if (hit.state_smiles !== hit.smiles) facts.push({ term: "Docked as", text: hit.state_smiles, isCode: true });
  return facts;
}
