import {
  type InfiniteData,
  type QueryClient,
  infiniteQueryOptions,
  keepPreviousData,
  queryOptions,
} from "@tanstack/react-query";

import { countAnalysed } from "../jobs/analyses";
import { isFinal } from "../jobs/words";
import { filterQuery, type HitFilter, isFiltered } from "../state/hit-filter";
import { refreshAnalyses } from "./analysis-queries";
import { api, type Hit, type HitDetail, type HitOrder, type HitPage, type Job, type JobPage, unwrap } from "./client";
import { flatten, nextCursor, onlyFirstPage, replaceItem } from "./paging";

// A screen usually comes with two jobs that prepare it.
const JOBS_PER_PAGE = 100;
const ROWS_PER_PAGE = 200;

type Cursor = string | null;
const FIRST: Cursor = null;

function page(limit: number, cursor: Cursor): { limit: number; cursor?: string } {
  return cursor === null ? { limit } : { limit, cursor };
}

/** A page of hits, and how many the job was known to have, and to have analysed, when it was asked for. */
export type CountedHitPage = HitPage & { scoredBefore: number; analysedBefore: number };

/** Which hits, and in which order. */
export interface Listing {
  readonly order: HitOrder;
  readonly filter: HitFilter;
}

const keys = {
  jobs: ["jobs"] as const,
  job: (id: string) => ["job", id] as const,
  waiting: (id: string) => ["waiting", id] as const,
  hits: (id: string, { order, filter }: Listing) => ["hits", id, order, filter] as const,
  hit: (id: string, ligandId: string) => ["hit", id, ligandId] as const,
  rejected: (id: string) => ["rejected", id] as const,
  library: (id: string) => ["library", id] as const,
  report: (id: string) => ["report", id] as const,
  redocking: (id: string, state: Job["state"]) => ["redocking", id, state] as const,
  validation: (id: string, state: Job["state"]) => ["validation", id, state] as const,
};

export function jobsQuery(polling: boolean) {
  return infiniteQueryOptions({
    queryKey: keys.jobs,
    initialPageParam: FIRST,
    queryFn: ({ pageParam, signal }) =>
      unwrap(api.GET("/api/v1/jobs", { params: { query: page(JOBS_PER_PAGE, pageParam) }, signal })),
    getNextPageParam: nextCursor,
    refetchInterval: polling ? 5_000 : false,
  });
}

export function jobQuery(id: string, polling: boolean) {
  return queryOptions({
    queryKey: keys.job(id),
    queryFn: ({ signal }) => unwrap(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } }, signal })),
    refetchInterval: polling ? 5_000 : false,
  });
}

export function waitingQuery(id: string) {
  return queryOptions({
    queryKey: keys.waiting(id),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/jobs/{job_id}/waiting", { params: { path: { job_id: id } }, signal })),
    // Workers come and go without an event of the job.
    refetchInterval: 10_000,
  });
}

export function hitsQuery(client: QueryClient, id: string, listing: Listing) {
  return infiniteQueryOptions({
    queryKey: keys.hits(id, listing),
    initialPageParam: FIRST,
    queryFn: async ({ pageParam, signal }): Promise<CountedHitPage> => {
      const scoredBefore = client.getQueryData<Job>(keys.job(id))?.counts.scored ?? 0;
      const analysedBefore = countAnalysed(knownJobs(client), id);
      const query = { order: listing.order, ...filterQuery(listing.filter), ...page(ROWS_PER_PAGE, pageParam) };
      // Without a filter the job's own counts tell.
      const withTotal = pageParam === FIRST && isFiltered(listing.filter) && { with_total: true };
      const params = { path: { job_id: id }, query: { ...query, ...withTotal } };
      const found = await unwrap(api.GET("/api/v1/jobs/{job_id}/hits", { params, signal }));
      return { ...found, scoredBefore, analysedBefore };
    },
    getNextPageParam: nextCursor,
    placeholderData: keepPreviousData,
    // Rows must not move under the reader; the hit list says when there are newer ones.
    staleTime: Infinity,
  });
}

/** One hit with its poses; as much of it as a row of the list has is there at once. */
export function hitQuery(id: string, ligandId: string, row: Hit | undefined) {
  return queryOptions({
    queryKey: keys.hit(id, ligandId),
    queryFn: ({ signal }): Promise<HitDetail> => {
      const params = { path: { job_id: id, ligand_id: ligandId } };
      return unwrap(api.GET("/api/v1/jobs/{job_id}/hits/{ligand_id}", { params, signal }));
    },
    ...(row && { placeholderData: { ...row, poses: [], provenance: {} } }),
  });
}

export function rejectedQuery(id: string) {
  return infiniteQueryOptions({
    queryKey: keys.rejected(id),
    initialPageParam: FIRST,
    queryFn: ({ pageParam, signal }) => {
      const params = { path: { job_id: id }, query: page(ROWS_PER_PAGE, pageParam) };
      return unwrap(api.GET("/api/v1/jobs/{job_id}/rejected", { params, signal }));
    },
    getNextPageParam: nextCursor,
  });
}

export function libraryQuery(id: string) {
  return queryOptions({
    queryKey: keys.library(id),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/libraries/{library_id}", { params: { path: { library_id: id } }, signal })),
  });
}

/** What a preparation changed and found; it is written once, when the receptor is ready. */
export function reportQuery(receptorId: string) {
  return queryOptions({
    queryKey: keys.report(receptorId),
    queryFn: ({ signal }) => {
      const params = { path: { receptor_id: receptorId } };
      return unwrap(api.GET("/api/v1/receptors/{receptor_id}/report", { params, signal }));
    },
    staleTime: Infinity,
  });
}

/** Fetches the newest first page of a hit list; pages loaded further down are dropped. */
export async function reloadHits(client: QueryClient, id: string, listing: Listing): Promise<void> {
  client.setQueryData<InfiniteData<CountedHitPage, Cursor>>(keys.hits(id, listing), onlyFirstPage);
  await refreshHits(client, id, listing);
}

/** Fetches all loaded pages of a hit list anew. */
export async function refreshHits(client: QueryClient, id: string, listing: Listing): Promise<void> {
  await client.invalidateQueries({ queryKey: keys.hits(id, listing) });
}

/** The jobs that the page has listed so far. */
export function knownJobs(client: QueryClient): Job[] {
  return flatten(client.getQueryData<InfiniteData<JobPage, Cursor>>(keys.jobs)?.pages ?? [], (job) => job.id);
}

/** Puts a job that the server just sent wherever the page shows it. */
export function storeJob(client: QueryClient, job: Job): void {
  client.setQueryData(keys.job(job.id), job);
  const jobs = client.getQueryData<InfiniteData<JobPage, Cursor>>(keys.jobs);
  const replaced = replaceItem(jobs, job, (item) => item.id);
  if (replaced) client.setQueryData(keys.jobs, replaced);
  else void client.invalidateQueries({ queryKey: keys.jobs });
}

/** Fetches one job anew after something happened to it. */
export async function refreshJob(client: QueryClient, id: string): Promise<void> {
  const job = await unwrap(api.GET("/api/v1/jobs/{job_id}", { params: { path: { job_id: id } } }));
  storeJob(client, job);
  if (job.screen_id !== null) refreshAnalyses(client, job.screen_id);
  void client.invalidateQueries({ queryKey: keys.waiting(id) });
  void client.invalidateQueries({ queryKey: keys.rejected(id) });
  void client.invalidateQueries({ queryKey: ["library"] });
  void client.invalidateQueries({ queryKey: ["report"], predicate: (query) => query.state.data === undefined });
}

/** Fetches the listings of jobs anew, and the job in view. */
export async function refreshJobs(client: QueryClient): Promise<void> {
  await Promise.all([
    client.invalidateQueries({ queryKey: keys.jobs }),
    client.invalidateQueries({ queryKey: ["job"] }),
    client.invalidateQueries({ queryKey: ["waiting"] }),
  ]);
}

export type JobAction = "cancel" | "pause" | "resume";

export function changeJob(id: string, action: JobAction): Promise<Job> {
  const params = { params: { path: { job_id: id } } };
  switch (action) {
    case "cancel":
      return unwrap(api.POST("/api/v1/jobs/{job_id}/cancel", params));
    case "pause":
      return unwrap(api.POST("/api/v1/jobs/{job_id}/pause", params));
    case "resume":
      return unwrap(api.POST("/api/v1/jobs/{job_id}/resume", params));
  }
}

/** What a redocking found; its verdict comes with the end of the job. */
export function redockingQuery(job: Job) {
  return queryOptions({
    queryKey: keys.redocking(job.id, job.state),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/jobs/{job_id}/redocking", { params: { path: { job_id: job.id } }, signal })),
    staleTime: isFinal(job) ? Infinity : 0,
  });
}

/** How well a validation's ranking tells actives from decoys; known at the end of the job. */
export function validationQuery(job: Job) {
  return queryOptions({
    queryKey: keys.validation(job.id, job.state),
    queryFn: ({ signal }) =>
      unwrap(api.GET("/api/v1/jobs/{job_id}/validation", { params: { path: { job_id: job.id } }, signal })),
    staleTime: isFinal(job) ? Infinity : 0,
  });
}
