import { useQuery } from "@tanstack/react-query";

import type { Job } from "../api/client";
import { redockingQuery, validationQuery } from "../api/queries";
import { enrichmentText, verdictText } from "./verdicts";

/** What a finished redocking or validation came to, in a line. */
export function JobVerdict({ job }: { job: Job }) {
  if (job.state !== "completed") return null;
  if (job.kind === "redock") return <RedockingVerdict job={job} />;
  return job.kind === "validate" ? <ValidationVerdict job={job} /> : null;
}

function RedockingVerdict({ job }: { job: Job }) {
  const { data } = useQuery(redockingQuery(job));
  const verdict = data?.verdict;
  return verdict && <p className={`judged judged-${verdict.verdict}`}>{verdictText(verdict)}</p>;
}

function ValidationVerdict({ job }: { job: Job }) {
  const { data } = useQuery(validationQuery(job));
  return data?.enrichment && <p className="judged">{enrichmentText(data.enrichment)}</p>;
}
