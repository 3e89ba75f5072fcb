/** What went wrong with a request: the server's code and sentence, and the id that finds it in the server's log. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly requestId: string | null = null,
  ) {
    super(message);
  }

  /** Whether asking again, unchanged, may succeed. */
  get mayPass(): boolean {
    return this.status === 0 || this.status === 429 || this.status >= 500;
  }
}

/** Nothing came back at all. */
export function unreachable(): ApiError {
  return new ApiError(
    0,
    "server_unreachable",
    "The server does not answer. It may be restarting; this page keeps trying.",
  );
}

/** Reads the error envelope; a proxy in between may answer with something else. */
export function errorOf(response: Response, body: unknown): ApiError {
  const requestId = response.headers.get("X-Request-ID");
  const detail = isRecord(body) && isRecord(body["error"]) ? body["error"] : null;
  if (detail === null || typeof detail["code"] !== "string" || typeof detail["message"] !== "string") {
    return new ApiError(
      response.status,
      `http_${response.status}`,
      `The server answered with status ${response.status} and no explanation.`,
      requestId,
    );
  }
  const named = typeof detail["request_id"] === "string" ? detail["request_id"] : requestId;
  return new ApiError(response.status, detail["code"], detail["message"], named);
}

export function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
