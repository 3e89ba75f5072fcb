import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState, useSyncExternalStore } from "react";

import { API } from "../api/client";
import { isRecord } from "../api/errors";
import { refreshJob, refreshJobs } from "../api/queries";
import { authorization, tokenRefused } from "../api/token";
import { collectChanges } from "./changed-jobs";
import { openEventStream, type StreamStatus } from "./event-stream";
import type { SseMessage } from "./sse-parser";

/** Keeps all jobs in the query cache true to the server's events, and says whether that works at present. */
export function useLiveJobs(token: string | null): StreamStatus {
  const client = useQueryClient();
  const [status, setStatus] = useState<StreamStatus>("connecting");

  const isVisible = useSyncExternalStore(subscribeVisibility, () => document.visibilityState === "visible");

  useEffect(() => {
    // A browser opens six connections to a server at most: tabs in the background must not hold them all.
    if (!isVisible) return undefined;
    const changes = collectChanges((ids) => {
      const work = ids === null ? [refreshJobs(client)] : ids.map((id) => refreshJob(client, id));
      // A failed refresh shows as "reconnecting" or in the listing itself; the next event asks again.
      void Promise.allSettled(work);
    });
    const close = openEventStream({
      url: `${API}/events/stream`,
      headers: () => authorization(token),
      onMessage: (message) => {
        const id = jobIdOf(message);
        if (id !== null) changes.add(id);
      },
      onStatus: (next) => {
        setStatus(next);
        // What happened between the first listing and the stream, or while there was none, has no other messenger.
        if (next === "live") void refreshJobs(client);
      },
      onUnauthorized: () => {
        tokenRefused(token);
      },
    });
    return () => {
      close();
      changes.stop();
    };
  }, [client, token, isVisible]);

  return status;
}

function subscribeVisibility(listener: () => void): () => void {
  document.addEventListener("visibilitychange", listener);
  return () => {
    document.removeEventListener("visibilitychange", listener);
  };
}

function jobIdOf(message: SseMessage): string | null {
  try {
    const data: unknown = JSON.parse(message.data);
    return isRecord(data) && typeof data["job_id"] === "string" ? data["job_id"] : null;
  } catch {
    return null; // an event of a newer server that is not JSON: nothing that this page shows
  }
}
