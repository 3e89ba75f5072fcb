import type { AlertCatalogue } from "../api/client";

/** What a hit list is narrowed to; the names and the words of the conditions are those of the API. */
export interface HitFilter {
  /** Only hits whose best pose passes every check. */
  readonly valid: boolean;
  /** Such as `HBond@A:GLU80`, or `2 of ...`: all must hold. */
  readonly interactions: readonly string[];
  readonly withoutAlerts: readonly AlertCatalogue[];
}

export const CATALOGUES: readonly AlertCatalogue[] = ["PAINS", "BRENK", "NIH"];
export const NO_FILTER: HitFilter = { valid: false, interactions: [], withoutAlerts: [] };

export function isFiltered(filter: HitFilter): boolean {
  return filter.valid || filter.interactions.length > 0 || filter.withoutAlerts.length > 0;
}

/** The filter as the API's query has it, with nothing in it that does not filter. */
export function filterQuery(filter: HitFilter): {
  valid?: true;
  interactions?: string[];
  without_alerts?: AlertCatalogue[];
} {
  return {
    ...(filter.valid && { valid: true }),
    ...(filter.interactions.length > 0 && { interactions: [...filter.interactions] }),
    ...(filter.withoutAlerts.length > 0 && { without_alerts: [...filter.withoutAlerts] }),
  };
}

/** Reads a filter from the address. Conditions are taken as they are: what they mean, and whether, the API says. */
export function parseFilter(query: URLSearchParams): HitFilter {
  return {
    valid: query.get("valid") === "true",
    interactions: distinct(query.getAll("interactions").map((text) => text.trim())).filter((text) => text !== ""),
    withoutAlerts: CATALOGUES.filter((catalogue) => query.getAll("without_alerts").includes(catalogue)),
  };
}

export function withInteraction(filter: HitFilter, condition: string): HitFilter {
  return { ...filter, interactions: distinct([...filter.interactions, condition]) };
}

export function withoutInteraction(filter: HitFilter, condition: string): HitFilter {
  return { ...filter, interactions: filter.interactions.filter((other) => other !== condition) };
}

export function withCatalogue(filter: HitFilter, catalogue: AlertCatalogue, isWanted: boolean): HitFilter {
  const chosen = CATALOGUES.filter((other) => (other === catalogue ? isWanted : filter.withoutAlerts.includes(other)));
  return { ...filter, withoutAlerts: chosen };
}

function distinct(texts: readonly string[]): string[] {
  return [...new Set(texts)];
}
