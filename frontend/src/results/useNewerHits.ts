import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import type { HitOrder, Job } from "../api/client";
import { type CountedHitPage, reloadHits } from "../api/queries";

const AT_MOST_EVERY_MS = 3_000;

interface Loaded {
  pages: readonly CountedHitPage[];
  loadedAt: number;
  isFetching: boolean;
}

/**
 * Follows a running job's ranking. While the reader is at the top of the list and holds no row, newer results appear
 * by themselves; otherwise nothing moves, and the answer is how many have come in since.
 */
export function useNewerHits(job: Job, order: HitOrder, loaded: Loaded, isAtRest: boolean): number {
  const client = useQueryClient();
  const { pages, loadedAt, isFetching } = loaded;
  const first = pages[0];
  const newer = first === undefined ? 0 : Math.max(0, job.counts.scored - first.scoredBefore);
  const follows = newer > 0 && isAtRest && pages.length === 1 && !isFetching;

  useEffect(() => {
    if (!follows) return undefined;
    const timer = setTimeout(
      () => void reloadHits(client, job.id, order),
      Math.max(0, loadedAt + AT_MOST_EVERY_MS - Date.now()),
    );
    return () => {
      clearTimeout(timer);
    };
  }, [client, job.id, order, follows, loadedAt]);

  return isAtRest && pages.length <= 1 ? 0 : newer;
}
