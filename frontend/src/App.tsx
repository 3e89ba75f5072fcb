import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";

import type { Job } from "./api/client";
import { flatten } from "./api/paging";
import { jobQuery, jobsQuery } from "./api/queries";
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
  const { data: named } = useQuery({ ...jobQuery(route.jobId ?? "", polling), enabled: route.jobId !== null });
  const elsewhere = query.isSuccess && !jobs.some((job) => job.id === named?.id) ? named : undefined;
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
        elsewhere={elsewhere}
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
      <h1>There are no jobs yet</h1>
      <p>Start one from a terminal; it appears here at once, and its hits as they come in.</p>
      <p>A small example, known drugs at a real receptor:</p>
      <pre>mad demo</pre>
      <p>Your own ligands, in the place of a ligand whose position you know:</p>
      <pre>mad dock --receptor protein.pdb --ligands library.smi --site-from native.sdf --out results</pre>
      <p>
        <code>mad dock --help</code> names the other ways to say where to dock, and <a href="/docs">the API</a> does the
        same for programs.
      </p>
    </div>
  );
}
