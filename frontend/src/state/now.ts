import { useSyncExternalStore } from "react";

const STEP_MS = 10_000;

function subscribe(listener: () => void): () => void {
  const timer = setInterval(listener, STEP_MS);
  return () => {
    clearInterval(timer);
  };
}

/** The time in steps of ten seconds, so that ages stay true without an event. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => Math.floor(Date.now() / STEP_MS) * STEP_MS);
}
