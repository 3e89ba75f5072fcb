import { type ReactNode, useState } from "react";

export interface Fact {
  readonly term: string;
  readonly text: string;
  /** Molecules and codes: set in fixed width, and copied at a click. */
  readonly isCode?: boolean;
}

interface Props {
  label: string;
  facts: readonly Fact[];
  onClose: () => void;
  children?: ReactNode;
}

/** The row in hand, in full: the table cuts long names, sentences and SMILES. */
export function RowDetails({ label, facts, onClose, children }: Props) {
  return (
    <section className="details" aria-label={label}>
      <Facts facts={facts} />
      <div className="details-actions">
        {children}
        <button type="button" onClick={onClose} aria-label="Close the details">
          Close
        </button>
      </div>
    </section>
  );
}

export function Facts({ facts }: { facts: readonly Fact[] }) {
  return (
    <dl>
      {facts.map((fact) => (
        <div key={fact.term}>
          <dt>{fact.term}</dt>
          <dd>
            {fact.isCode ? (
              <>
                <code>{fact.text}</code> <CopyButton key={fact.text} term={fact.term} text={fact.text} />
              </>
            ) : (
              fact.text
            )}
          </dd>
        </div>
      ))}
    </dl>
  );
}

function CopyButton({ term, text }: { term: string; text: string }) {
  const [said, say] = useState("Copy");

  async function copy(): Promise<void> {
    try {
      await navigator.clipboard.writeText(text);
      say("Copied");
    } catch {
      say("Select the text to copy it"); // browsers give the clipboard to https and loopback pages only
    }
  }

  return (
    <button type="button" onClick={() => void copy()} aria-label={said === "Copy" ? `Copy ${term}` : undefined}>
      <span role="status">{said}</span>
    </button>
  );
}
