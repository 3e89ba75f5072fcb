import type { HitAnalysis, PoseAnalysis } from "../api/client";
import { count } from "../state/format";

/** Whether a pose passes its checks, as a mark and words: the colour only repeats them. */
export interface Verdict {
  readonly tone: "pass" | "fail" | "open" | "none";
  readonly mark: string;
  readonly text: string;
}

const PASS: Verdict = { tone: "pass", mark: "✓", text: "pass" };
const INCOMPLETE: Verdict = { tone: "open", mark: "?", text: "incomplete" };
const FAILED: Verdict = { tone: "open", mark: "?", text: "no result" };
const NONE: Verdict = { tone: "none", mark: "", text: "not analysed" };

export function verdictOfHit(analysis: HitAnalysis | null): Verdict {
  if (analysis === null) return NONE;
  return verdict(analysis.failure !== null, analysis.valid, analysis.failed_checks.length);
}

export function verdictOfPose(pose: PoseAnalysis | undefined): Verdict {
  if (pose === undefined) return NONE;
  return verdict(pose.failure !== null, pose.valid, checksThat(pose, false).length);
}

/** The names of the checks that a pose passes (true), fails (false), or that could not be computed (null). */
export function checksThat(pose: PoseAnalysis, outcome: boolean | null): string[] {
  return Object.entries(pose.checks)
    .filter(([, passed]) => passed === outcome)
    .map(([name]) => name);
}

/** PoseBusters' name of a check, as words. */
export function checkName(name: string): string {
  return name.replaceAll("_", " ");
}

function verdict(isFailure: boolean, valid: boolean | null, failed: number): Verdict {
  if (isFailure) return FAILED;
  if (valid === null) return INCOMPLETE;
  return valid ? PASS : { tone: "fail", mark: "✗", text: `${count(failed)} failed` };
}
