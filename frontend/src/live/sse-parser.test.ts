import { describe, expect, it } from "vitest";

import { createSseParser, type SseMessage } from "./sse-parser";

function parse(...pieces: string[]): { messages: SseMessage[]; retries: number[] } {
  const messages: SseMessage[] = [];
  const retries: number[] = [];
  const parser = createSseParser(
    (message) => messages.push(message),
    (milliseconds) => retries.push(milliseconds),
  );
  pieces.forEach(parser.feed);
  return { messages, retries };
}

const STREAM = ": ping\r\n\r\nid: 7-1\r\nevent: task.ended\r\ndata: {\r\ndata: }\r\n\r\ndata:x\r\n\r\n";
const EVENTS = [
  { type: "task.ended", data: "{\n}", lastEventId: "7-1" },
  { type: "message", data: "x", lastEventId: "7-1" },
];

describe("the parser of Server-Sent Events", () => {
  it.each(["\n", "\r", "\r\n"])("takes lines that end with %j", (end) => {
    expect(parse(STREAM.replaceAll("\r\n", end)).messages).toEqual(EVENTS);
  });

  it("gives the same events wherever the stream is cut", () => {
    for (let at = 0; at <= STREAM.length; at += 1) {
      expect(parse(STREAM.slice(0, at), STREAM.slice(at)).messages).toEqual(EVENTS);
    }
    expect(parse(...Array.from(STREAM)).messages).toEqual(EVENTS);
  });

  it("keeps an event back until its empty line has come", () => {
    expect(parse("data: x\n").messages).toEqual([]);
    expect(parse("data: x\n", "\n").messages).toHaveLength(1);
  });

  it("tells nothing of an event without data, but keeps its id", () => {
    const { messages } = parse("id: 5\nevent: empty\n\ndata: y\n\n");
    expect(messages).toEqual([{ type: "message", data: "y", lastEventId: "5" }]);
  });

  it.each([
    ["data", ""],
    ["data:", ""],
    ["data:  x", " x"],
    ["data: a:b", "a:b"],
  ])("reads the line %j", (line, data) => {
    expect(parse(`${line}\n\n`).messages).toMatchObject([{ data }]);
  });

  it("ignores unknown fields, comments, an id with NUL and a byte order mark", () => {
    expect(parse("\uFEFFid: 1\nid: 2\0\nnote: n\n:c\ndata: x\n\n").messages).toEqual([
      { type: "message", data: "x", lastEventId: "1" },
    ]);
  });

  it("passes on the server's pause in whole milliseconds only", () => {
    expect(parse("retry: 2000\nretry: soon\nretry: 1.5\nretry:\n\n").retries).toEqual([2000]);
  });
});
