import { useMemo, useSyncExternalStore } from "react";

import type { HitOrder } from "../api/client";
import { filterQuery, type HitFilter, NO_FILTER, parseFilter } from "./hit-filter";

/** What the address says: which job, which of its lists, and of the hit list its order, its filter and the open hit. */
export interface Route {
  readonly jobId: string | null;
  readonly list: (typeof LISTS)[number];
  readonly order: HitOrder;
  readonly filter: HitFilter;
  readonly hitId: string | null;
}

export const LISTS = ["hits", "rejected", "receptor"] as const;
export const ORDERS: readonly HitOrder[] = [
  "score",
  "ligand_efficiency",
  "size_corrected_score",
  "name",
  "molecular_weight",
];

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const PATTERN = new RegExp(`^#/jobs/(${UUID})(?:/(rejected|receptor))?(?:\\?(.*))?$`, "i");
const ONE_UUID = new RegExp(`^${UUID}$`, "i");

export function parseRoute(hash: string): Route {
  const found = PATTERN.exec(hash);
  const query = new URLSearchParams(found?.[3]);
  const hitId = query.get("hit") ?? "";
  return {
    jobId: found?.[1]?.toLowerCase() ?? null,
    list: LISTS.find((list) => list === found?.[2]) ?? "hits",
    order: ORDERS.find((order) => order === query.get("order")) ?? "score",
    filter: parseFilter(query),
    hitId: ONE_UUID.test(hitId) ? hitId.toLowerCase() : null,
  };
}

/** The address of a job, or of more of it; what is left out is as at first sight. */
export function formatRoute(jobId: string, rest: Partial<Omit<Route, "jobId">> = {}): string {
  const { list = "hits", order = "score", filter = NO_FILTER, hitId = null } = rest;
  const query = new URLSearchParams();
  if (order !== "score") query.set("order", order);
  for (const [name, value] of Object.entries(filterQuery(filter))) {
    for (const text of [value].flat()) query.append(name, String(text));
  }
  if (hitId !== null) query.set("hit", hitId);
  // Left as they are in the fragment of an address, so that a condition on an interaction can be read in it.
  const text = query.toString().replaceAll("%40", "@").replaceAll("%3A", ":");
  return `#/jobs/${jobId}${list === "hits" ? "" : `/${list}`}${text === "" ? "" : `?${text}`}`;
}

/** Goes to an address of this page; the browser's back button returns. */
export function goTo(hash: string): void {
  window.location.hash = hash;
}

/** Goes to an address in place of the present one: what is stepped through is not stepped back through. */
export function replaceBy(hash: string): void {
  window.location.replace(hash);
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => {
    window.removeEventListener("hashchange", listener);
  };
}

export function useRoute(): Route {
  const hash = useSyncExternalStore(subscribe, () => window.location.hash);
  return useMemo(() => parseRoute(hash), [hash]);
}
