import type { Job } from "../api/client";
import { describe, OUTCOMES, type Progress } from "./progress";

interface Props {
  progress: Progress;
  kind: Job["kind"];
  label: string;
}

export function ProgressBar({ progress, kind, label }: Props) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={progress.total}
      aria-valuenow={progress.scored + progress.rejected}
      aria-valuetext={describe(progress, kind)}
    >
      {OUTCOMES.map(
        (outcome) =>
          progress[outcome] > 0 && (
            <div key={outcome} className={`progress-${outcome}`} style={{ flexGrow: progress[outcome] }} />
          ),
      )}
    </div>
  );
}
