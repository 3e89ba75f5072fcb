import { useSyncExternalStore } from "react";

import type { HitOrder } from "../api/client";

/** What the address says: which job, which of its lists, and in which order. */
export interface Route {
  readonly jobId: string | null;
  readonly list: (typeof LISTS)[number];
  readonly order: HitOrder;
}

export const LISTS = ["hits", "rejected", "receptor"] as const;
export const ORDERS: readonly HitOrder[] = ["score", "ligand_efficiency", "name", "molecular_weight"];

const UUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}";
const PATTERN = new RegExp(`^#/jobs/(${UUID})(?:/(rejected|receptor))?(?:\\?(.*))?$`, "i");

export function parseRoute(hash: string): Route {
  const found = PATTERN.exec(hash);
  const asked = new URLSearchParams(found?.[3]).get("order");
  return {
    jobId: found?.[1]?.toLowerCase() ?? null,
    list: LISTS.find((list) => list === found?.[2]) ?? "hits",
    order: ORDERS.find((order) => order === asked) ?? "score",
  };
}

export function formatRoute(jobId: string, list: Route["list"] = "hits", order: HitOrder = "score"): string {
  return `#/jobs/${jobId}${list === "hits" ? "" : `/${list}`}${order === "score" ? "" : `?order=${order}`}`;
}

/** Goes to an address of this page; the browser's back button returns. */
export function goTo(hash: string): void {
  window.location.hash = hash;
}

function subscribe(listener: () => void): () => void {
  window.addEventListener("hashchange", listener);
  return () => {
    window.removeEventListener("hashchange", listener);
  };
}

export function useRoute(): Route {
  return parseRoute(useSyncExternalStore(subscribe, () => window.location.hash));
}
