import createClient, { type Middleware } from "openapi-fetch";

import { ApiError, errorOf, unreachable } from "./errors";
import type { components, paths } from "./schema";
import { authorization, tokenRefused, tokenState } from "./token";

export type Job = components["schemas"]["Job"];
export type JobCounts = components["schemas"]["JobCounts"];
export type JobPage = components["schemas"]["JobPage"];
export type Hit = components["schemas"]["Hit"];
export type HitPage = components["schemas"]["HitPage"];
export type HitOrder = components["schemas"]["HitOrder"];
export type HitAnalysis = components["schemas"]["HitAnalysis"];
export type HitDetail = components["schemas"]["HitDetail"];
export type AnalysisCreate = components["schemas"]["AnalysisCreate"];
export type LigandAnalysis = components["schemas"]["LigandAnalysis"];
export type PoseAnalysis = components["schemas"]["PoseAnalysis"];
export type LigandProperties = components["schemas"]["LigandProperties"];
export type InteractionType = components["schemas"]["InteractionType"];
export type AlertCatalogue = components["schemas"]["AlertCatalogue"];
export type ClusterList = components["schemas"]["ClusterList"];
export type RejectedItem = components["schemas"]["RejectedItem"];
export type RejectedPage = components["schemas"]["RejectedPage"];
export type PreparationReport = components["schemas"]["PreparationReport"];
export type ResidueNote = components["schemas"]["ResidueNote"];
export type Redocking = components["schemas"]["Redocking"];
export type Enrichment = components["schemas"]["Enrichment"];
export type Estimate = components["schemas"]["Estimate"];
export type Waiting = components["schemas"]["Waiting"];

export const API = "/api/v1";

const withToken: Middleware = {
  onRequest({ request }) {
    for (const [name, value] of Object.entries(authorization(tokenState().token))) request.headers.set(name, value);
    return request;
  },
  onResponse({ request, response }) {
    if (response.status === 401) tokenRefused(sentToken(request));
  },
};

function sentToken(request: Request): string | null {
  return request.headers.get("Authorization")?.replace(/^Bearer /, "") ?? null;
}

export const api = createClient<paths>();
api.use(withToken);

interface Answer<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The body of a good answer; every other outcome is an ApiError. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (failure) {
    if (failure instanceof DOMException && failure.name === "AbortError") throw failure;
    throw unreachable();
  }
  if (!answer.response.ok) throw errorOf(answer.response, answer.error);
  if (answer.data === undefined) {
    throw new ApiError(answer.response.status, "empty_answer", "The server sent an empty answer.");
  }
  return answer.data;
}

/** Fetches a file with the token, which a plain link cannot carry. */
export async function download(path: string, fileName: string): Promise<void> {
  const { token } = tokenState();
  const response = await fetch(path, { headers: authorization(token) }).catch(() => {
    throw unreachable();
  });
  if (!response.ok) {
    if (response.status === 401) tokenRefused(token);
    throw errorOf(response, await response.json().catch(() => null));
  }
  const address = URL.createObjectURL(await response.blob());
  const link = document.createElement("a");
  link.href = address;
  link.download = fileName;
  link.click();
  URL.revokeObjectURL(address);
}
