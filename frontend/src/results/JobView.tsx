import { useQuery } from "@tanstack/react-query";

import type { Job } from "../api/client";
import { jobQuery, reportQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { progressOf } from "../jobs/progress";
import { StateBadge } from "../jobs/StateBadge";
import { useJobAction } from "../jobs/useJobAction";
import { WhyWaiting } from "../jobs/WhyWaiting";
import { hasHits, isFinal, KIND } from "../jobs/words";
import { count, moment } from "../state/format";
import { formatRoute, type Route } from "../state/route";
import { AnalysisSummary } from "./AnalysisSummary";
import { Exports } from "./Exports";
import { LibrarySummary } from "./LibrarySummary";
import { HitTable } from "./HitTable";
import { countWarnings } from "./notes";
import { ReceptorReport } from "./ReceptorReport";
import { RedockingSummary } from "./RedockingSummary";
import { RejectedTable } from "./RejectedTable";
import { ValidationSummary } from "./ValidationSummary";

interface Props {
  jobId: string;
  route: Route;
  polling: boolean;
}

export function JobView({ jobId, route, polling }: Props) {
  const { data: job, error, refetch } = useQuery(jobQuery(jobId, polling));
  if (job === undefined) {
    if (error) return <ErrorNotice title="The job could not be loaded." error={error} onRetry={() => void refetch()} />;
    return <p className="empty">Loading the job…</p>;
  }
  return (
    <>
      <title>{`${job.name} – Molecular Analysis Dashboard`}</title>
      <JobHeader job={job} />
      {hasHits(job) ? <ScreenResults job={job} route={route} /> : <OtherResults job={job} />}
    </>
  );
}

function JobHeader({ job }: { job: Job }) {
  const action = useJobAction(job.id);
  const wanted = job.state === "paused" ? "resume" : "pause";
  return (
    <header className="job-header">
      <div className="job-title">
        <h1>{job.name}</h1>
        <StateBadge job={job} />
        {!isFinal(job) && job.state !== "cancelling" && (
          <button
            type="button"
            disabled={action.isPending}
            onClick={() => {
              action.mutate(wanted);
            }}
          >
            {wanted === "resume" ? "Resume" : "Pause"}
          </button>
        )}
      </div>
      <p className="quiet">
        {KIND[job.kind]}, submitted {moment(job.created_at)}
        {job.finished_at && `, ended ${moment(job.finished_at)}`}
        {job.reason && `. ${job.reason}`}
      </p>
      {!isFinal(job) && <WhyWaiting jobId={job.id} />}
      {job.error && (
        <div className="notice notice-error" role="alert">
          <p className="notice-title">This job failed.</p>
          <p>{job.error.message}</p>
          <p className="notice-facts">
            Code <code>{job.error.code}</code>
          </p>
        </div>
      )}
      {action.error && <ErrorNotice title="The job could not be changed." error={action.error} />}
    </header>
  );
}

function ScreenResults({ job, route }: { job: Job; route: Route }) {
  const progress = progressOf(job.counts);
  const lists: readonly { list: Route["list"]; label: string; size: number }[] = [
    { list: "hits", label: "Hits", size: progress.scored },
    { list: "rejected", label: "Rejected", size: progress.rejected + progress.unreadable },
  ];
  return (
    <>
      <div className="bar">
        <nav aria-label="Lists of this job">
          <ul className="tabs">
            {lists.map(({ list, label, size }) => (
              <li key={list}>
                <a
                  href={formatRoute(job.id, { ...route, list, hitId: null })}
                  aria-current={route.list === list ? "page" : undefined}
                >
                  {label} <span className="size">{count(size)}</span>
                </a>
              </li>
            ))}
            {job.receptor_id !== null && <ReceptorTab job={job} receptorId={job.receptor_id} route={route} />}
          </ul>
        </nav>
        <Exports jobId={job.id} />
      </div>
      {job.kind === "validate" && <ValidationSummary job={job} />}
      <List job={job} route={route} />
    </>
  );
}

function ReceptorTab({ job, receptorId, route }: { job: Job; receptorId: string; route: Route }) {
  const { data: report } = useQuery(reportQuery(receptorId));
  const warnings = countWarnings(report?.notes ?? []);
  return (
    <li>
      <a
        href={formatRoute(job.id, { ...route, list: "receptor", hitId: null })}
        aria-current={route.list === "receptor" ? "page" : undefined}
      >
        Receptor {warnings > 0 && <span className="size size-warning">{count(warnings, "warning")}</span>}
      </a>
    </li>
  );
}

function List({ job, route }: { job: Job; route: Route }) {
  if (route.list === "hits") return <HitTable job={job} route={route} />;
  if (route.list === "rejected") return <RejectedTable job={job} />;
  if (job.receptor_id === null) return <p className="empty">This job names no receptor.</p>;
  return <ReceptorReport receptorId={job.receptor_id} />;
}

function OtherResults({ job }: { job: Job }) {
  if (job.kind === "analyse") return <AnalysisSummary job={job} />;
  if (job.kind === "redock") return <RedockingSummary job={job} />;
  if (job.library_id !== null) return <LibrarySummary libraryId={job.library_id} />;
  if (job.receptor_id === null) return null;
  if (job.state === "completed") return <ReceptorReport receptorId={job.receptor_id} />;
  return <p className="empty">The report on the receptor appears here when it is prepared.</p>;
}
