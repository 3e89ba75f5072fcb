import { type KeyboardEvent, useState } from "react";

import type { Job } from "../api/client";
import { ErrorNotice } from "../components/ErrorNotice";
import { count } from "../state/format";
import { JobRow } from "./JobRow";
import { hasHits } from "./words";

interface Props {
  jobs: readonly Job[];
  selectedId: string | null;
  /** The job in view, where the address names one that is not among `jobs`. */
  elsewhere: Job | undefined;
  isLoading: boolean;
  error: Error | null;
  onRetry: () => void;
  hasMore: boolean;
  isLoadingMore: boolean;
  onMore: () => void;
}

export function JobList(props: Props) {
  const { jobs, selectedId, elsewhere, isLoading, error, onRetry, hasMore, isLoadingMore, onMore } = props;
  const [showsAll, setShowsAll] = useState(false);
  const shown = showsAll ? jobs : jobs.filter((job) => isWorthALook(job) || job.id === selectedId);
  const folded = jobs.filter((job) => !isWorthALook(job)).length;
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
      {!isLoading && !error && shown.length === 0 && (
        <p className="quiet">{jobs.length === 0 ? "No jobs yet." : "No screens yet."}</p>
      )}
      {folded > 0 && (
        <label className="quiet">
          <input
            type="checkbox"
            checked={showsAll}
            onChange={(event) => {
              setShowsAll(event.target.checked);
            }}
          />
          Show preparations and analyses ({count(folded)})
        </label>
      )}
      {/* Arrows are a convenience: every link is reached by Tab as well. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions */}
      <ul onKeyDown={moveBetweenJobs}>
        {elsewhere && <JobRow key={elsewhere.id} job={elsewhere} isSelected />}
        {shown.map((job) => (
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

/** A preparation, reading or analysis that went well has said all it has to say: its screen stands in the list. */
function isWorthALook(job: Job): boolean {
  return hasHits(job) || job.kind === "redock" || job.state !== "completed";
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
