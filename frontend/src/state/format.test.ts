import { describe, expect, it } from "vitest";

import { age, count, moment } from "./format";

describe("numbers and times", () => {
  it.each([
    [0, "0 ligands"],
    [1, "1 ligand"],
    [1200, "1,200 ligands"],
  ])("%i ligands are told as %j", (value, text) => {
    expect(count(value, "ligand")).toBe(text);
  });

  it("a moment names its time zone", () => {
    const zone = new Intl.DateTimeFormat(undefined, { timeZoneName: "short" })
      .formatToParts(new Date("2026-11-24T06:00:00Z"))
      .find((part) => part.type === "timeZoneName");
    expect(moment("2026-11-24T06:00:00Z")).toContain(zone?.value);
  });

  it("an age is told in its largest whole unit", () => {
    const now = Date.parse("2026-11-24T06:00:00Z");
    expect(age("2026-11-24T05:59:30Z", now)).toBe("just now");
    expect(age("2026-11-24T03:00:00Z", now)).toBe("3 h");
  });
});
