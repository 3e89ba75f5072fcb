import { useState } from "react";

interface Props {
  name: string;
  isPending: boolean;
  onCancel: () => void;
}

/** Asks once more in place, since a cancelled job cannot go on. */
export function CancelButton({ name, isPending, onCancel }: Props) {
  const [isAsking, setAsking] = useState(false);
  if (!isAsking) {
    return (
      <button
        type="button"
        aria-label={`Cancel ${name}`}
        disabled={isPending}
        onClick={() => {
          setAsking(true);
        }}
      >
        {isPending ? "Cancelling" : "Cancel"}
      </button>
    );
  }
  return (
    // Escape anywhere inside takes the question back.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <span
      className="confirm"
      role="group"
      aria-label={`Cancel ${name}?`}
      onKeyDown={(event) => {
        if (event.key === "Escape") setAsking(false);
      }}
    >
      <button
        type="button"
        className="danger"
        title="Finished results stay."
        ref={(button) => button?.focus()}
        onClick={() => {
          setAsking(false);
          onCancel();
        }}
      >
        Cancel job
      </button>
      <button
        type="button"
        onClick={() => {
          setAsking(false);
        }}
      >
        Keep
      </button>
    </span>
  );
}
