import { describe, expect, it } from "vitest";

import type { InteractionType, PoseAnalysis } from "../api/client";
import { interactionRows } from "./interactions";

function pose(...found: [InteractionType, string, number][]): PoseAnalysis {
  const interactions = found.map(([type, residue, distance_angstrom]) => ({ type, residue, distance_angstrom }));
  return { interactions } as PoseAnalysis;
}

describe("the interactions of several poses", () => {
  it("stand side by side, once for each kind and residue", () => {
    const rows = interactionRows([pose(["HBDonor", "A:GLU80", 2.9]), pose(["HBDonor", "A:GLU80", 3.1])]);
    expect(rows).toEqual([{ type: "HBDonor", residue: "A:GLU80", distances: [2.9, 3.1] }]);
  });

  it("are told apart by kind and by residue", () => {
    const rows = interactionRows([pose(["HBDonor", "A:GLU80", 2.9]), pose(["Cationic", "A:GLU80", 3.1])]);
    expect(rows.map((row) => row.distances)).toEqual([
      [2.9, null],
      [null, 3.1],
    ]);
    expect(interactionRows([pose(["HBDonor", "A:GLU80", 3], ["HBDonor", "B:GLU80", 3])])).toHaveLength(2);
  });

  it("begin with those of the best pose, and among them with the most telling kind and the shortest", () => {
    const best = pose(["Hydrophobic", "A:VAL1", 3.5], ["HBAcceptor", "A:SER3", 3.2], ["HBAcceptor", "A:SER2", 2.8]);
    const next = pose(["HBDonor", "A:ASP9", 2.6]);
    expect(interactionRows([best, next]).map((row) => row.residue)).toEqual(["A:SER2", "A:SER3", "A:VAL1", "A:ASP9"]);
  });

  it("of a pose without any are none", () => {
    expect(interactionRows([pose()])).toEqual([]);
    expect(interactionRows([])).toEqual([]);
  });
});
