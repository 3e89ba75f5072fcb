import type { ResidueNote } from "../api/client";

const RANK: Record<ResidueNote["severity"], number> = { blocking: 0, warning: 1, info: 2 };

/** What matters most first, and among equals what is nearest to the site. */
export function sortNotes(notes: readonly ResidueNote[]): ResidueNote[] {
  const away = (note: ResidueNote): number => note.distance_angstrom ?? Infinity;
  return notes.toSorted((a, b) => RANK[a.severity] - RANK[b.severity] || away(a) - away(b) || 0);
}

export function countWarnings(notes: readonly ResidueNote[]): number {
  return notes.filter((note) => note.severity !== "info").length;
}
