import { useInfiniteQuery, useQuery, useQueryClient } from "@tanstack/react-query";
import { useCallback, useMemo, useRef, useState } from "react";

import { analysedQuery } from "../api/analysis-queries";
import type { Hit, Job } from "../api/client";
import { flatten } from "../api/paging";
import { hitsQuery, type Listing, reloadHits } from "../api/queries";
import { type Focusable, VirtualTable } from "../components/VirtualTable";
import { useAnalyses } from "../jobs/useAnalyses";
import { isFiltered } from "../state/hit-filter";
import { formatRoute, goTo, replaceBy, type Route } from "../state/route";
import { FilterBar } from "./FilterBar";
import { hitColumns } from "./hit-columns";
import { countText } from "./hit-words";
import { HitPanel } from "./HitPanel";
import { HitsProblem, NewerHits, NoHits } from "./HitTableNotes";
import { useNewerHits } from "./useNewerHits";

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
  // Where the keyboard is; the hit in the address is open as well.
  const [position, setPosition] = useState<string | null>(null);
  const [atTop, setAtTop] = useState(true);
  const pages = query.data?.pages ?? NONE;
  const hits = useMemo(() => flatten(pages, keyOf), [pages]);
  const activeKey = hitId ?? position;
  const loaded = { pages, loadedAt: query.dataUpdatedAt, isFetching: query.isFetching };
  const newer = useNewerHits(job, listing, loaded, analyses.counted, atTop && activeKey === null);
  const { fetchNextPage } = query;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const address = useCallback((part: Partial<Route>) => formatRoute(job.id, { ...route, ...part }), [job.id, route]);
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
  const total = pages[0]?.total ?? (isFiltered(filter) ? null : Math.max(job.counts.scored, hits.length));

  function moveTo(key: string): void {
    setPosition(key);
    if (hitId !== null) replaceBy(address({ hitId: key }));
  }

  function open(key: string): void {
    if (hitId === null) goTo(address({ hitId: key }));
    if (hitId === key) panel.current?.focus();
  }

  function close(): void {
    setPosition(hitId);
    if (hitId !== null) replaceBy(address({ hitId: null }));
    grid.current?.focus();
  }

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
          active={activeKey}
          onActivate={moveTo}
          onOpen={open}
          onEscape={() => {
            if (hitId === null) setPosition(null);
            else close();
          }}
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
          onClose={close}
        />
      )}
    </>
  );
}
