import { useEffect, useRef } from "react";

import type { Job } from "../api/client";
import { ErrorNotice } from "../components/ErrorNotice";
import { age, count, moment } from "../state/format";
import { useNow } from "../state/now";
import { formatRoute } from "../state/route";
import { CancelButton } from "./CancelButton";
import { JobVerdict } from "./JobVerdict";
import { describe, progressOf } from "./progress";
import { ProgressBar } from "./ProgressBar";
import { StateBadge } from "./StateBadge";
import { useJobAction } from "./useJobAction";
import { WhyWaiting } from "./WhyWaiting";
import { canCancel, countsLigands, hasHits, isFinal, KIND } from "./words";

/** Screens are what people look for; preparation and reading stand beside them in one line. */
export function JobRow({ job, isSelected }: { job: Job; isSelected: boolean }) {
  const now = useNow();
  const row = useRef<HTMLLIElement>(null);
  useEffect(() => {
    // The address may name a job far down the list.
    if (isSelected) row.current?.scrollIntoView({ block: "nearest" });
  }, [isSelected]);
  const action = useJobAction(job.id);
  // Only these count ligands; the other kinds have a state.
  const progress = countsLigands(job) ? progressOf(job.counts) : null;
  return (
    <li ref={row} className={`job ${hasHits(job) ? "" : "job-minor"} ${isSelected ? "job-selected" : ""}`}>
      <div className="job-line">
        <a
          className="job-name"
          href={formatRoute(job.id)}
          aria-current={isSelected ? "true" : undefined}
          title={job.name}
        >
          {job.name}
        </a>
        <time className="quiet" dateTime={job.created_at} title={`Submitted ${moment(job.created_at)}`}>
          {age(job.created_at, now)}
        </time>
      </div>
      <div className="job-line">
        <StateBadge job={job} />
        <span className="quiet">{KIND[job.kind]}</span>
        {progress && progress.total > 0 && <span className="job-percent">{progress.percentDone} %</span>}
        {canCancel(job) && (
          <CancelButton
            name={job.name}
            isPending={action.isPending}
            onCancel={() => {
              action.mutate("cancel");
            }}
          />
        )}
      </div>
      {progress && progress.total > 0 && (
        <>
          <ProgressBar progress={progress} kind={job.kind} label={`Progress of ${job.name}`} />
          <p className="quiet" title={`${count(progress.total, "ligand")} in all`}>
            {describe(progress, job.kind)}
          </p>
        </>
      )}
      <JobVerdict job={job} />
      {!isFinal(job) && !isSelected && <WhyWaiting jobId={job.id} />}
      {job.error && <p className="job-error">{job.error.message}</p>}
      {action.error && <ErrorNotice title="The job could not be cancelled." error={action.error} />}
    </li>
  );
}
