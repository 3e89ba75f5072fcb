/** The access token of this browser tab: kept in sessionStorage, so it ends with the tab. */

const KEY = "mad.token";

export interface TokenState {
  readonly token: string | null;
  /** The server answered 401: nothing works until a (better) token is given. */
  readonly needed: boolean;
}

let state: TokenState = { token: sessionStorage.getItem(KEY), needed: false };
const listeners = new Set<() => void>();

function change(next: TokenState): void {
  state = next;
  listeners.forEach((listener) => {
    listener();
  });
}

export function tokenState(): TokenState {
  return state;
}

export function subscribeToken(listener: () => void): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export function setToken(token: string): void {
  sessionStorage.setItem(KEY, token);
  change({ token, needed: false });
}

/** Called for every 401. An answer to a request with an older token says nothing about the present one. */
export function tokenRefused(sent: string | null): void {
  if (sent === state.token && !state.needed) change({ ...state, needed: true });
}

export function authorization(token: string | null): Record<string, string> {
  return token === null ? {} : { Authorization: `Bearer ${token}` };
}
