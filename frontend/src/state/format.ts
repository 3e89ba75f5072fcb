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

export function count(value: number): string {
  return value.toLocaleString("en");
}

export function moment(instant: string): string {
  return new Date(instant).toLocaleString(undefined, { dateStyle: "medium", timeStyle: "medium" });
}
