import { type SubmitEvent, useId } from "react";

import { setToken } from "../api/token";

export function TokenForm({ refused }: { refused: boolean }) {
  const field = useId();
  const hint = useId();

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    const token = new FormData(event.currentTarget).get("token");
    if (typeof token === "string" && token.trim() !== "") setToken(token.trim());
  }

  return (
    <main className="gate">
      <form className="card" onSubmit={submit}>
        <h1>Sign in</h1>
        {refused && (
          <p className="notice notice-error" role="alert">
            The server does not accept this token. Check it and enter it again.
          </p>
        )}
        <label htmlFor={field}>Access token</label>
        <input
          id={field}
          name="token"
          type="password"
          autoComplete="off"
          spellCheck={false}
          required
          aria-describedby={hint}
          ref={(input) => input?.focus()}
        />
        <p id={hint} className="quiet">
          This server asks for a token; its administrator has it. It is kept until you close this tab.
        </p>
        <button type="submit" className="primary">
          Continue
        </button>
      </form>
    </main>
  );
}
