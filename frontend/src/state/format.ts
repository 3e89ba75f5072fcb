const UNITS: readonly (readonly [string, number])[] = [
  ["d", 86_400],
  ["h", 3_600],
  ["min", 60],
];

/** "just now", "5 min", "3 h", "12 d": the time between two instants in its largest whole unit. */
export function age(since: string, nowMs: number): string {
  const seconds = (nowMs - Date.parse(since)) / 1000;
  for (const [unit, length] of UNITS) {
    if (seconds >= length) return `${Math.floor(seconds / length).toLocaleString("en")} ${unit}`;
  }
  return "just now";
}

/** "1,200", and with a noun "1,200 ligands" or "1 ligand". */
export function count(value: number, noun?: string): string {
  const figures = value.toLocaleString("en");
  if (noun === undefined) return figures;
  return `${figures} ${noun}${value === 1 ? "" : "s"}`;
}

/** The instant in the reader's own language and time zone, which is named. */
export function moment(instant: string): string {
  return new Date(instant).toLocaleString(undefined, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    second: "2-digit",
    timeZoneName: "short",
  });
}
