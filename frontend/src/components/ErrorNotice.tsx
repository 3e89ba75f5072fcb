import { ApiError } from "../api/errors";

interface Props {
  error: Error;
  /** What did not work, as a sentence. */
  title: string;
  onRetry?: (() => void) | undefined;
}

export function ErrorNotice({ error, title, onRetry }: Props) {
  const known = error instanceof ApiError ? error : null;
  return (
    <div className="notice notice-error" role="alert">
      <p className="notice-title">{title}</p>
      <p>{error.message}</p>
      <p className="notice-facts">
        <span>
          Code <code>{known?.code ?? "page_error"}</code>
        </span>
        {known?.requestId && (
          <span>
            Request <code>{known.requestId}</code>
          </span>
        )}
      </p>
      {onRetry && (
        <button type="button" onClick={onRetry}>
          Try again
        </button>
      )}
    </div>
  );
}
