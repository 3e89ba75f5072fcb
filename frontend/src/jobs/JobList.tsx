import type { KeyboardEvent } from "react";

import type { Job } from "../api/client";
import { ErrorNotice } from "../components/ErrorNotice";
import { JobRow } from "./JobRow";

interface Props {
  jobs: readonly Job[];
  selectedId: string | null;
  isLoading: boolean;
  error: Error | null;
  onRetry: () => void;
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
}

export function JobList({ jobs, selectedId, isLoading, error, onRetry, hasMore, isLoadingMore, onMore }: Props) {
  return (
    <nav className="jobs" aria-labelledby="jobs-heading">
      <h2 id="jobs-heading">Jobs</h2>
      {error && (
        <ErrorNotice
          title={`The jobs could not be ${jobs.length > 0 ? "updated" : "loaded"}.`}
          error={error}
          onRetry={onRetry}
        />
      )}
      {isLoading && <p className="quiet">Loading jobs…</p>}
      {!isLoading && !error && jobs.length === 0 && <p className="quiet">No jobs yet.</p>}
      {/* Arrows are a convenience: every link is reached by Tab as well. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul onKeyDown={moveBetweenJobs}>
        {jobs.map((job) => (
          <JobRow key={job.id} job={job} isSelected={job.id === selectedId} />
        ))}
      </ul>
      {hasMore && (
        <button type="button" disabled={isLoadingMore} onClick={onMore}>
          {isLoadingMore ? "Loading…" : "Show older jobs"}
        </button>
      )}
    </nav>
  );
}

function moveBetweenJobs(event: KeyboardEvent<HTMLUListElement>): void {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  const focused = document.activeElement;
  if (step === undefined || !(focused instanceof HTMLElement) || !focused.matches("a.job-name")) return;
  const links = [...event.currentTarget.querySelectorAll<HTMLElement>("a.job-name")];
  const next = links[links.indexOf(focused) + step];
  if (next === undefined) return;
  event.preventDefault();
  next.focus();
}
