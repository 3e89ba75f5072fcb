import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import type { Job } from "../api/client";
import { flatten } from "../api/paging";
import { jobsQuery } from "../api/queries";
import { countAnalysed, openAnalyses } from "./analyses";

interface Analyses {
  /** Not before the jobs are listed is anything known of them. */
  readonly isKnown: boolean;
  readonly open: readonly Job[];
  readonly counted: number;
}

const NONE: never[] = [];

/** The analyses of a screen's poses among the jobs that the page lists anyway. */
export function useAnalyses(screenId: string): Analyses {
  const { data, isPending } = useInfiniteQuery({ ...jobsQuery(false), refetchOnMount: false });
  const pages = data?.pages ?? NONE;
  return useMemo(() => {
    const jobs = flatten(pages, (job) => job.id);
    return { isKnown: !isPending, open: openAnalyses(jobs, screenId), counted: countAnalysed(jobs, screenId) };
  }, [pages, isPending, screenId]);
}
