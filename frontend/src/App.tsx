import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";

import type { Job } from "./api/client";
import { flatten } from "./api/paging";
import { jobsQuery } from "./api/queries";
import { subscribeToken, tokenState } from "./api/token";
import { ConnectionBadge } from "./components/ConnectionBadge";
import { TokenForm } from "./components/TokenForm";
import { JobList } from "./jobs/JobList";
import { useLiveJobs } from "./live/useLiveJobs";
import { JobView } from "./results/JobView";
import { useRoute } from "./state/route";

const idOf = (job: Job): string => job.id;
const NONE: never[] = [];

export function App() {
  const { token, needed } = useSyncExternalStore(subscribeToken, tokenState);
  return needed ? <TokenForm refused={token !== null} /> : <Dashboard key={token} token={token} />;
}

function Dashboard({ token }: { token: string | null }) {
  const route = useRoute();
  const status = useLiveJobs(token);
  const polling = status !== "live";
  const query = useInfiniteQuery(jobsQuery(polling));
  const pages = query.data?.pages ?? NONE;
  const jobs = useMemo(() => flatten(pages, idOf), [pages]);
  const selectedId = route.jobId ?? jobs.find((job) => job.kind === "screen")?.id ?? null;
  return (
    <div className="page">
      <button
        type="button"
        className="skip"
        onClick={() => {
          document.getElementById("results")?.focus();
        }}
      >
        Skip to the results
      </button>
      <div className="masthead">
        <p className="brand">Molecular Analysis Dashboard</p>
        <ConnectionBadge status={status} />
        <a href="/docs">API docs</a>
      </div>
      <JobList
        jobs={jobs}
        selectedId={selectedId}
        isLoading={query.isPending}
        error={query.error}
        onRetry={() => void query.refetch()}
        hasMore={query.hasNextPage}
        isLoadingMore={query.isFetchingNextPage}
        onMore={() => void query.fetchNextPage()}
      />
      <main className="results" id="results" tabIndex={-1}>
        {selectedId === null ? (
          <NothingSelected isEmpty={query.isSuccess && jobs.length === 0} />
        ) : (
          <JobView key={selectedId} jobId={selectedId} route={route} polling={polling} />
        )}
      </main>
    </div>
  );
}

function NothingSelected({ isEmpty }: { isEmpty: boolean }) {
  if (!isEmpty) return <p className="empty">Choose a job to see its results.</p>;
  return (
    <div className="empty">
      <p>There are no jobs yet. Start one from a terminal:</p>
      <p>
        <code>mad demo</code> docks a small example; <code>mad dock --help</code> explains how to dock your own ligands.
      </p>
    </div>
  );
}
