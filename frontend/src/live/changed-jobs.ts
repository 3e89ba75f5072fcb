const AT_MOST_EVERY_MS = 1_000;
// Beyond this many changed jobs, one listing costs less than each job by itself.
const MANY = 10;

/**
 * Collects which jobs changed and passes them on at most once a second: a busy screen sends many events, and each
 * only says that there is something new to fetch. `null` stands for "too many to name".
 */
export function collectChanges(pass: (jobIds: string[] | null) => void): {
  add: (jobId: string) => void;
  stop: () => void;
} {
  const changed = new Set<string>();
  let timer: ReturnType<typeof setTimeout> | null = null;

  function flush(): void {
    timer = null;
    if (changed.size === 0) return;
    const ids = [...changed];
    changed.clear();
    timer = setTimeout(flush, AT_MOST_EVERY_MS);
    pass(ids.length > MANY ? null : ids);
  }

  return {
    add: (jobId) => {
      changed.add(jobId);
      timer ??= setTimeout(flush, 0);
    },
    stop: () => {
      if (timer !== null) clearTimeout(timer);
      changed.clear();
    },
  };
}
