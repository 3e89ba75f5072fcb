import type { Job } from "../api/client";
import { ErrorNotice } from "../components/ErrorNotice";
import { age, count, moment } from "../state/format";
import { useNow } from "../state/now";
import { formatRoute } from "../state/route";
import { CancelButton } from "./CancelButton";
import { describe, progressOf } from "./progress";
import { ProgressBar } from "./ProgressBar";
import { useJobAction } from "./useJobAction";
import { WhyWaiting } from "./WhyWaiting";
import { canCancel, isFinal, KIND, STATE } from "./words";

export function JobRow({ job, isSelected }: { job: Job; isSelected: boolean }) {
  const now = useNow();
  const action = useJobAction(job.id);
  // Only screens have ligands of their own; the other kinds have a state.
  const progress = job.kind === "screen" ? progressOf(job.counts) : null;
  return (
    <li className={`job ${isSelected ? "job-selected" : ""}`}>
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
        <span className={`state state-${job.state}`}>{STATE[job.state]}</span>
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
          <ProgressBar progress={progress} label={`Progress of ${job.name}`} />
          <p className="quiet" title={`${count(progress.total)} records in the input`}>
            {describe(progress)}
          </p>
        </>
      )}
      {!isFinal(job) && <WhyWaiting jobId={job.id} />}
      {job.error && <p className="job-error">{job.error.message}</p>}
      {action.error && <ErrorNotice title="The job could not be cancelled." error={action.error} />}
    </li>
  );
}
