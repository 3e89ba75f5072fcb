import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { collectChanges } from "./changed-jobs";

describe("changed jobs", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("are passed on at once, then at most once a second, each once", () => {
    const passed: (string[] | null)[] = [];
    const changes = collectChanges((ids) => passed.push(ids));
    changes.add("a");
    vi.advanceTimersByTime(0);
    expect(passed).toEqual([["a"]]);
    for (const id of ["a", "b", "a"]) changes.add(id);
    vi.advanceTimersByTime(999);
    expect(passed).toHaveLength(1);
    vi.advanceTimersByTime(1);
    expect(passed[1]).toEqual(["a", "b"]);
  });

  it("become one listing when there are many", () => {
    const passed: (string[] | null)[] = [];
    const changes = collectChanges((ids) => passed.push(ids));
    for (let number = 0; number < 11; number += 1) changes.add(`job-${number}`);
    vi.advanceTimersByTime(0);
    expect(passed).toEqual([null]);
  });

  it("are forgotten after the end", () => {
    const passed: (string[] | null)[] = [];
    const changes = collectChanges((ids) => passed.push(ids));
    changes.add("a");
    changes.stop();
    vi.advanceTimersByTime(5000);
    expect(passed).toEqual([]);
  });
});
