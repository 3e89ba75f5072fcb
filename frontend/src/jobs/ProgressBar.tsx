import { describe, OUTCOMES, type Progress } from "./progress";

export function ProgressBar({ progress, label }: { progress: Progress; label: string }) {
  return (
    <div
      className="progress"
      role="progressbar"
      aria-label={label}
      aria-valuemin={0}
      aria-valuemax={progress.total}
      aria-valuenow={progress.scored + progress.rejected}
      aria-valuetext={describe(progress)}
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
