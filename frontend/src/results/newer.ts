/** How many hits the job was known to have, and to have analysed, before a list was asked for. */
export interface Before {
  readonly scoredBefore: number;
  readonly analysedBefore: number;
}

/** What has come in since the list was loaded and is not shown. */
export interface Newer {
  readonly scored: number;
  readonly analysed: number;
}

export const NOTHING: Newer = { scored: 0, analysed: 0 };

export function newerThan(before: Before | undefined, scored: number, analysed: number): Newer {
  if (before === undefined) return NOTHING;
  const newer = {
    scored: Math.max(0, scored - before.scoredBefore),
    analysed: Math.max(0, analysed - before.analysedBefore),
  };
  return isNothing(newer) ? NOTHING : newer;
}

export function isNothing(newer: Newer): boolean {
  return newer.scored + newer.analysed === 0;
}
