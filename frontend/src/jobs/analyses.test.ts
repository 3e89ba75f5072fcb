import { describe, expect, it } from "vitest";

import type { Job } from "../api/client";
import { countAnalysed, openAnalyses } from "./analyses";

function job(id: string, screenId: string | null, state: Job["state"], scored: number, rejected: number): Job {
  return { id, screen_id: screenId, state, counts: { scored, rejected } as Job["counts"] } as Job;
}

const JOBS = [
  job("screen", null, "completed", 900, 20),
  job("ended", "screen", "completed", 98, 2),
  job("going", "screen", "running", 5, 0),
  job("paused", "screen", "paused", 1, 1),
  job("of another", "other", "running", 40, 0),
];

describe("the analyses of a screen", () => {
  it("count what they looked at, whatever came of it", () => {
    expect(countAnalysed(JOBS, "screen")).toBe(107);
    expect(countAnalysed(JOBS, "nothing")).toBe(0);
  });

  it("are open until they ended", () => {
    expect(openAnalyses(JOBS, "screen").map((open) => open.id)).toEqual(["going", "paused"]);
    expect(openAnalyses(JOBS, "nothing")).toEqual([]);
  });
});
