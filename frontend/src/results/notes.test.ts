import { describe, expect, it } from "vitest";

import type { ResidueNote } from "../api/client";
import { countWarnings, sortNotes } from "./notes";

function note(residue: string, severity: ResidueNote["severity"], distance: number | null): ResidueNote {
  return { residue, action: "kept", message: "", severity, distance_angstrom: distance };
}

const NOTES = [
  note("far", "warning", 30),
  note("done", "info", 1),
  note("somewhere", "warning", null),
  note("near", "warning", 2.5),
  note("problem", "blocking", 40),
];

describe("the notes of a preparation", () => {
  it("come by severity, then by distance, those without a distance last", () => {
    expect(sortNotes(NOTES).map((item) => item.residue)).toEqual(["problem", "near", "far", "somewhere", "done"]);
  });

  it("are warnings unless they merely tell what was done", () => {
    expect(countWarnings(NOTES)).toBe(4);
  });
});
