/** One event of a stream of Server-Sent Events. */
export interface SseMessage {
  type: string;
  data: string;
  /** The id to resume behind; empty until the server has sent one. */
  lastEventId: string;
}

export interface SseParser {
  /** Takes the next piece of decoded text; pieces may end anywhere, between CR and LF too. */
  feed: (text: string) => void;
}

/**
 * Parses `text/event-stream` as the HTML standard defines it (section 9.2.6). The browser's own EventSource does that
 * too, but cannot send an Authorization header.
 */
export function createSseParser(
  onMessage: (message: SseMessage) => void,
  onRetry: (milliseconds: number) => void = () => undefined,
): SseParser {
  let rest = "";
  let atStart = true;
  let skipLineFeed = false;
  let type = "";
  let data: string[] = [];
  let lastEventId = "";

  function dispatch(): void {
    if (data.length > 0) onMessage({ type: type || "message", data: data.join("\n"), lastEventId });
    type = "";
    data = [];
  }

  function field(name: string, value: string): void {
    if (name === "data") data.push(value);
    else if (name === "event") type = value;
    else if (name === "id" && !value.includes("\0")) lastEventId = value;
    else if (name === "retry" && /^\d+$/.test(value)) onRetry(Number(value));
  }

  function line(text: string): void {
    if (text === "") {
      dispatch();
      return;
    }
    const colon = text.indexOf(":");
    if (colon === 0) return;
    if (colon < 0) field(text, "");
    else field(text.slice(0, colon), text.slice(colon + 1).replace(/^ /, ""));
  }

  function feed(text: string): void {
    if (text === "") return;
    let piece = text;
    if (atStart) piece = piece.replace(/^\uFEFF/, "");
    atStart = false;
    if (skipLineFeed && piece.startsWith("\n")) piece = piece.slice(1);
    skipLineFeed = piece.endsWith("\r") || (skipLineFeed && piece === "");
    const lines = (rest + piece).split(/\r\n|\r|\n/);
    rest = lines.pop() ?? "";
    lines.forEach(line);
  }

  return { feed };
}
