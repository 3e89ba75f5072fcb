import { createSseParser, type SseMessage, type SseParser } from "./sse-parser";

export type StreamStatus = "connecting" | "live" | "reconnecting";

export interface EventStreamOptions {
  url: string;
  headers: () => Record<string, string>;
  onMessage: (message: SseMessage) => void;
  onStatus: (status: StreamStatus) => void;
  /** The server refuses the credentials; the stream has ended for good. */
  onUnauthorized: () => void;
}

const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 15_000;
// The server sends a comment at least every 15 s; silence for three of them means that the connection is dead.
const SILENCE_MS = 45_000;

/** Keeps a stream of Server-Sent Events open, resuming behind the last event seen, until the returned function is called. */
export function openEventStream(options: EventStreamOptions): () => void {
  const end = new AbortController();
  void keepOpen(options, end.signal);
  return () => {
    end.abort();
  };
}

async function keepOpen(options: EventStreamOptions, ended: AbortSignal): Promise<void> {
  let lastEventId = "";
  let failures = 0;
  let firstWaitMs = FIRST_WAIT_MS;
  options.onStatus("connecting");
  const isOver = (): boolean => ended.aborted;
  while (!isOver()) {
    const outcome = await readOnce(options, lastEventId, ended, {
      onOpen: () => {
        failures = 0;
      },
      onEventId: (id) => {
        lastEventId = id;
      },
      onRetry: (milliseconds) => {
        firstWaitMs = milliseconds;
      },
    });
    if (isOver()) return;
    if (outcome === "unauthorized") {
      options.onUnauthorized();
      return;
    }
    // An id that the server no longer understands must not lock us out; a new connection reloads everything anyway.
    if (outcome === "refused") lastEventId = "";
    options.onStatus("reconnecting");
    await pause(waitBefore(failures, firstWaitMs), ended);
    failures += 1;
  }
}

/** Doubles up to a limit, and spreads by a quarter so that many pages do not return at the same instant. */
export function waitBefore(failures: number, firstMs = FIRST_WAIT_MS, random: () => number = Math.random): number {
  return Math.min(LONGEST_WAIT_MS, firstMs * 2 ** failures) * (0.75 + 0.5 * random());
}

interface Progress {
  onOpen: () => void;
  onEventId: (id: string) => void;
  /** The server asks for this pause before a new connection. */
  onRetry: (milliseconds: number) => void;
}

type Outcome = "closed" | "unauthorized" | "refused";

async function readOnce(
  options: EventStreamOptions,
  lastEventId: string,
  ended: AbortSignal,
  progress: Progress,
): Promise<Outcome> {
  const connection = new AbortController();
  const close = (): void => {
    connection.abort();
  };
  ended.addEventListener("abort", close, { once: true });
  const watchdog = createWatchdog(close);
  try {
    const headers = { Accept: "text/event-stream", ...options.headers() };
    const resume = lastEventId === "" ? {} : { "Last-Event-ID": lastEventId };
    const response = await fetch(options.url, {
      headers: { ...headers, ...resume },
      signal: connection.signal,
      cache: "no-store",
    });
    if (response.status === 401) return "unauthorized";
    if (!response.ok || response.body === null) return response.status < 500 ? "refused" : "closed";
    progress.onOpen();
    options.onStatus("live");
    const parser = createSseParser((message) => {
      if (message.lastEventId !== "") progress.onEventId(message.lastEventId);
      options.onMessage(message);
    }, progress.onRetry);
    await readAll(response.body, watchdog.fed, parser);
    return "closed";
  } catch {
    return "closed"; // the network's failures differ by browser and mean the same: connect again
  } finally {
    watchdog.stop();
    ended.removeEventListener("abort", close);
    close();
  }
}

async function readAll(body: ReadableStream<Uint8Array>, onBytes: () => void, parser: SseParser): Promise<void> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    onBytes();
    parser.feed(decoder.decode(value, { stream: true }));
  }
}

function createWatchdog(onSilence: () => void): { fed: () => void; stop: () => void } {
  let timer = setTimeout(onSilence, SILENCE_MS);
  return {
    fed: () => {
      clearTimeout(timer);
      timer = setTimeout(onSilence, SILENCE_MS);
    },
    stop: () => {
      clearTimeout(timer);
    },
  };
}

/** Waits; a page that comes back to the front, or a network that returns, ends the wait. */
function pause(milliseconds: number, ended: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      window.removeEventListener("online", done);
      document.removeEventListener("visibilitychange", seen);
      ended.removeEventListener("abort", done);
      resolve();
    };
    const seen = (): void => {
      if (document.visibilityState === "visible") done();
    };
    const timer = setTimeout(done, milliseconds);
    window.addEventListener("online", done);
    document.addEventListener("visibilitychange", seen);
    ended.addEventListener("abort", done);
  });
}
