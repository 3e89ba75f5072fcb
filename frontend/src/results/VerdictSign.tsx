import type { Verdict } from "./pose-verdict";

export function VerdictSign({ tone, mark, text }: Verdict) {
  return (
    <span className={`verdict verdict-${tone}`}>
      {mark !== "" && <span aria-hidden="true">{mark}</span>} {text}
    </span>
  );
}
