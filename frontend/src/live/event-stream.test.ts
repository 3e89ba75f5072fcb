import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { type EventStreamOptions, openEventStream, type StreamStatus, waitBefore } from "./event-stream";

function streamOf(text: string): Response {
  return new Response(text, { headers: { "Content-Type": "text/event-stream" } });
}

/** Follows a stream whose connections are answered in turn; the last answer stays open for ever. */
function follow(...answers: ((signal: AbortSignal) => Response | Promise<Response>)[]) {
  const asked: Headers[] = [];
  const seen: string[] = [];
  const statuses: StreamStatus[] = [];
  const unauthorized = vi.fn();
  vi.stubGlobal("fetch", (_: string, init: RequestInit & { signal: AbortSignal }) => {
    asked.push(new Headers(init.headers));
    const answer = answers.shift();
    return answer === undefined ? new Promise<Response>(() => undefined) : Promise.resolve(answer(init.signal));
  });
  const options: EventStreamOptions = {
    url: "/events",
    headers: () => ({ Authorization: "Bearer secret" }),
    onMessage: (message) => seen.push(message.data),
    onStatus: (status) => statuses.push(status),
    onUnauthorized: unauthorized,
  };
  return { asked, seen, statuses, unauthorized, close: openEventStream(options) };
}

const settle = (milliseconds: number) => vi.advanceTimersByTimeAsync(milliseconds);

describe("the event stream", () => {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.stubGlobal("window", new EventTarget());
    vi.stubGlobal("document", new EventTarget());
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  it("sends the token, and resumes behind the last event after a connection is lost", async () => {
    const { asked, seen, statuses, close } = follow(
      () => streamOf("id: 7-1\ndata: a\n\nid: 7-2\ndata: b\n\nid: 7-3\ndata: cut o"),
      () => streamOf("id: 7-3\ndata: c\n\n"),
    );
    await settle(1_000);
    expect(asked.map((headers) => headers.get("Last-Event-ID")).slice(0, 2)).toEqual([null, "7-2"]);
    expect(asked[0]?.get("Authorization")).toBe("Bearer secret");
    expect(seen).toEqual(["a", "b", "c"]);
    expect(statuses.slice(0, 4)).toEqual(["connecting", "live", "reconnecting", "live"]);
    close();
  });

  it("waits longer while the server stays away, and not at all once the network returns", async () => {
    const away = (): Promise<Response> => Promise.reject(new TypeError("network"));
    const { asked, close } = follow(away, away, away, away, away, away);
    await settle(5_000);
    expect(asked.length).toBeLessThanOrEqual(5);
    const before = asked.length;
    window.dispatchEvent(new Event("online"));
    await settle(0);
    expect(asked).toHaveLength(before + 1);
    close();
  });

  it("begins anew where the server does not know the last event", async () => {
    const { asked, close } = follow(
      () => streamOf("id: 7-1\ndata: a\n\n"),
      () => new Response(null, { status: 422 }),
    );
    await settle(4_000);
    expect(asked.map((headers) => headers.get("Last-Event-ID"))).toEqual([null, "7-1", null]);
    close();
  });

  it("replaces a connection that fell silent", async () => {
    const silent = (signal: AbortSignal): Response => {
      const start = (body: ReadableStreamDefaultController): void => {
        signal.addEventListener("abort", () => {
          body.error(signal.reason);
        });
      };
      return new Response(new ReadableStream({ start }));
    };
    const { asked, statuses, close } = follow(silent);
    await settle(44_000);
    expect(statuses.at(-1)).toBe("live");
    await settle(3_000);
    expect(statuses.at(-1)).toBe("reconnecting");
    expect(asked).toHaveLength(2);
    close();
  });

  it("stops where the credentials are refused", async () => {
    const { asked, unauthorized } = follow(() => new Response(null, { status: 401 }));
    await settle(60_000);
    expect(unauthorized).toHaveBeenCalledOnce();
    expect(asked).toHaveLength(1);
  });

  it("asks no more once it is closed", async () => {
    const { asked, close } = follow(() => streamOf(""));
    close();
    await settle(60_000);
    expect(asked).toHaveLength(1);
  });
});

describe("the wait before a new connection", () => {
  it("doubles from the server's pause up to 15 s", () => {
    const middle = (): number => 0.5;
    expect([0, 1, 2, 3, 9].map((failures) => waitBefore(failures, 2000, middle))).toEqual([
      2000, 4000, 8000, 15_000, 15_000,
    ]);
  });

  it("is spread by a quarter, so that pages do not return together", () => {
    expect(waitBefore(0, 1000, () => 0)).toBe(750);
    expect(waitBefore(0, 1000, () => 1)).toBe(1250);
  });
});
