import type { StreamStatus } from "../live/event-stream";

const TEXT: Record<StreamStatus, string> = {
  connecting: "Connecting",
  live: "Live",
  reconnecting: "Reconnecting; updated every 5 s where the server answers",
};

export function ConnectionBadge({ status }: { status: StreamStatus }) {
  return (
    <p className={`connection connection-${status}`} role="status">
      {TEXT[status]}
    </p>
  );
}
