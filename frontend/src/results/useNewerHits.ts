import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import type { Job } from "../api/client";
import { type CountedHitPage, type Listing, refreshHits } from "../api/queries";
import { isFinal } from "../jobs/words";
import { isFiltered } from "../state/hit-filter";
import { isNothing, type Newer, newerThan, NOTHING } from "./newer";

const AT_MOST_EVERY_MS = 3_000;

interface Loaded {
  pages: readonly CountedHitPage[];
  loadedAt: number;
  isFetching: boolean;
}

/**
 * Follows a running job's ranking and the analyses of its poses. While the reader is at the top of the list and holds
 * no row, newer results appear by themselves, and analyses do wherever they move no row; otherwise nothing moves, and
 * the answer is how many have come in since.
 */
export function useNewerHits(job: Job, listing: Listing, loaded: Loaded, analysed: number, isAtRest: boolean): Newer {
  const client = useQueryClient();
  const { pages, loadedAt, isFetching } = loaded;
  const newer = newerThan(pages[0], job.counts.scored, analysed);
  const isUnmoved = newer.scored === 0 && isFinal(job) && !isFiltered(listing.filter);
  const isFollowed = isUnmoved || (isAtRest && pages.length <= 1);
  const follows = isFollowed && !isFetching && !isNothing(newer);

  useEffect(() => {
    if (!follows) return undefined;
    const timer = setTimeout(
      () => void refreshHits(client, job.id, listing),
      Math.max(0, loadedAt + AT_MOST_EVERY_MS - Date.now()),
    );
    return () => {
      clearTimeout(timer);
    };
  }, [client, job.id, listing, follows, loadedAt]);

  return isFollowed ? NOTHING : newer;
}
