import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

import { analysedQuery } from "../api/analysis-queries";
import type { Hit, Job } from "../api/client";
import { flatten } from "../api/paging";
import { hitsQuery, type Listing, reloadHits } from "../api/queries";
import { type Focusable, VirtualTable } from "../components/VirtualTable";
import { useAnalyses } from "../jobs/useAnalyses";
import { isFiltered } from "../state/hit-filter";
import { formatRoute, goTo, type Route } from "../state/route";
import { FilterBar } from "./FilterBar";
import { hitColumns } from "./hit-columns";
import { countText } from "./hit-words";
import { HitPanel } from "./HitPanel";
import { HitsProblem, NewerHits, NoHits } from "./HitTableNotes";
import { useNewerHits } from "./useNewerHits";
import { useOpenHit } from "./useOpenHit";

const keyOf = (hit: Hit): string => hit.ligand_id;
const NONE: never[] = [];

export function HitTable({ job, route }: { job: Job; route: Route }) {
  const { order, filter, hitId } = route;
  const client = useQueryClient();
  const grid = useRef<Focusable>(null);
  const panel = useRef<Focusable>(null);
  const listing = useMemo<Listing>(() => ({ order, filter }), [order, filter]);
  const analyses = useAnalyses(job.id);
  const { data: nAnalysed = 0 } = useQuery(analysedQuery(job.id));
  const query = useInfiniteQuery({ ...hitsQuery(client, job.id, listing), enabled: analyses.isKnown });
  const [atTop, setAtTop] = useState(true);
  const pages = query.data?.pages ?? NONE;
  const hits = useMemo(() => flatten(pages, keyOf), [pages]);
  const address = useCallback((part: Partial<Route>) => formatRoute(job.id, { ...route, ...part }), [job.id, route]);
  const selection = useOpenHit(hitId, address, grid, panel);
  const loaded = { pages, loadedAt: query.dataUpdatedAt, isFetching: query.isFetching };
  const newer = useNewerHits(job, listing, loaded, analyses.counted, atTop && selection.activeKey === null);
  const { fetchNextPage } = query;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const hasAnalyses = nAnalysed > 0 || hits.some((hit) => hit.analysis !== null);
  const columns = useMemo(
    () =>
      hitColumns(
        order,
        (next) => {
          goTo(address({ order: next }));
        },
        hasAnalyses,
      ),
    [order, address, hasAnalyses],
  );
  const matching = query.isPlaceholderData ? null : (pages[0]?.total ?? null);
  const total = isFiltered(filter) ? matching : Math.max(job.counts.scored, hits.length);

  return (
    <>
      <FilterBar
        filter={filter}
        hasAnalyses={hasAnalyses}
        shown={query.error ? "" : countText(job, total, filter, nAnalysed, analyses.open)}
        onChange={(next) => {
          goTo(address({ filter: next }));
        }}
      />
      <NewerHits newer={newer} onUpdate={() => void reloadHits(client, job.id, listing)} />
      {query.error && (
        <HitsProblem
          error={query.error}
          hasHits={hits.length > 0}
          onRetry={() => void (hits.length > 0 ? query.fetchNextPage() : query.refetch())}
        />
      )}
      {query.isPending && <p className="empty">Loading the hit list…</p>}
      {query.isSuccess && hits.length === 0 && <NoHits job={job} filter={filter} nAnalysed={nAnalysed} />}
      {hits.length > 0 && (
        <VirtualTable
          key={order}
          ref={grid}
          className={`hits ${hasAnalyses ? "hits-analysed" : ""} ${query.isPlaceholderData ? "reordering" : ""}`}
          label={`Hit list of ${job.name}`}
          columns={columns}
          rows={hits}
          keyOf={keyOf}
          total={total ?? -1}
          active={selection.activeKey}
          onActivate={selection.moveTo}
          onOpen={selection.open}
          onEscape={selection.escape}
          hasMore={query.hasNextPage && !query.isFetchNextPageError}
          isLoadingMore={query.isFetching}
          onNeedMore={loadMore}
          onTop={setAtTop}
        />
      )}
      {hitId !== null && (
        <HitPanel
          ref={panel}
          job={job}
          hitId={hitId}
          row={hits.find((hit) => keyOf(hit) === hitId)}
          openAnalyses={analyses.open}
          filter={filter}
          address={address}
          onClose={selection.close}
        />
      )}
    </>
  );
}
