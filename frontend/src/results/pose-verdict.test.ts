import { describe, expect, it } from "vitest";

import type { HitAnalysis, PoseAnalysis } from "../api/client";
import { checkName, checksThat, verdictOfHit, verdictOfPose } from "./pose-verdict";

function hit(part: Partial<HitAnalysis>): HitAnalysis {
  return { analysed_at: "", failure: null, valid: null, failed_checks: [], strain_kcal_mol: null, ...part };
}

function pose(checks: PoseAnalysis["checks"], part: Partial<PoseAnalysis> = {}): PoseAnalysis {
  return { valid: null, failure: null, checks, ...part } as PoseAnalysis;
}

describe("the verdict on a hit", () => {
  it("is a pass only where every check passes", () => {
    expect(verdictOfHit(hit({ valid: true }))).toEqual({ tone: "pass", mark: "✓", text: "pass" });
  });

  it("names the number of failed checks", () => {
    const found = verdictOfHit(hit({ valid: false, failed_checks: ["bond_lengths", "internal_energy"] }));
    expect(found).toEqual({ tone: "fail", mark: "✗", text: "2 failed" });
  });

  it("is neither where a check could not be computed", () => {
    expect(verdictOfHit(hit({}))).toEqual({ tone: "open", mark: "?", text: "incomplete" });
  });

  it("is none where nothing was analysed, or the analysis came to no end", () => {
    expect(verdictOfHit(null).text).toBe("not analysed");
    expect(verdictOfHit(hit({ failure: "timeout" })).text).toBe("no result");
  });
});

describe("the verdict on a pose", () => {
  const MIXED = pose({ bond_lengths: true, internal_energy: false, no_radicals: null }, { valid: false });

  it("counts what fails, and not what could not be computed", () => {
    expect(verdictOfPose(MIXED).text).toBe("1 failed");
    expect(verdictOfPose(undefined).text).toBe("not analysed");
  });

  it("tells its checks apart by outcome", () => {
    expect(checksThat(MIXED, true)).toEqual(["bond_lengths"]);
    expect(checksThat(MIXED, false)).toEqual(["internal_energy"]);
    expect(checksThat(MIXED, null)).toEqual(["no_radicals"]);
    expect(checksThat(pose({}), false)).toEqual([]);
  });

  it("keeps PoseBusters' names recognisable", () => {
    expect(checkName("non-aromatic_ring_non-flatness")).toBe("non-aromatic ring non-flatness");
  });
});
