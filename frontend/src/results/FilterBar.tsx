import { type SubmitEvent, useId, useState } from "react";

import type { AlertCatalogue } from "../api/client";
import {
  CATALOGUES,
  type HitFilter,
  isFiltered,
  NO_FILTER,
  withCatalogue,
  withInteraction,
  withoutInteraction,
} from "../state/hit-filter";
import { ASKED } from "./interactions";

interface Props {
  filter: HitFilter;
  onChange: (filter: HitFilter) => void;
  /** Whether any pose is analysed: where none is, only what the docking itself computes can be asked for. */
  hasAnalyses: boolean;
  /** "12 of 480 hits", or nothing while that is not known. */
  shown: string;
}

const ALERTS: Record<AlertCatalogue, string> = {
  PAINS: "Substructures that often interfere with assays",
  BRENK: "Groups that are unwanted in a screening library",
  NIH: "Reactive and otherwise unwanted groups",
};

/** What the hit list is narrowed to; the server does it. */
export function FilterBar({ filter, onChange, hasAnalyses, shown }: Props) {
  return (
    <div className="filters" role="search" aria-label="Filter the hits">
      {(hasAnalyses || filter.valid) && (
        <Check
          label="Valid only"
          title="The best pose passes every check of PoseBusters"
          isOn={filter.valid}
          onToggle={(valid) => {
            onChange({ ...filter, valid });
          }}
        />
      )}
      <fieldset>
        <legend>Without alerts</legend>
        {CATALOGUES.map((catalogue) => (
          <Check
            key={catalogue}
            label={catalogue}
            title={ALERTS[catalogue]}
            isOn={filter.withoutAlerts.includes(catalogue)}
            onToggle={(isWanted) => {
              onChange(withCatalogue(filter, catalogue, isWanted));
            }}
          />
        ))}
      </fieldset>
      {hasAnalyses && (
        <InteractionForm
          onAdd={(condition) => {
            onChange(withInteraction(filter, condition));
          }}
        />
      )}
      <Conditions filter={filter} onChange={onChange} />
      {isFiltered(filter) && (
        <button
          type="button"
          onClick={() => {
            onChange(NO_FILTER);
          }}
        >
          Show all
        </button>
      )}
      <p className="quiet" role="status">
        {shown}
      </p>
    </div>
  );
}

function Conditions({ filter, onChange }: Pick<Props, "filter" | "onChange">) {
  if (filter.interactions.length === 0) return null;
  return (
    <ul className="conditions" aria-label="Required interactions">
      {filter.interactions.map((condition) => (
        <li key={condition}>
          <code>{condition}</code>
          <button
            type="button"
            aria-label={`No longer require ${condition}`}
            onClick={() => {
              onChange(withoutInteraction(filter, condition));
            }}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  );
}

interface CheckProps {
  label: string;
  title: string;
  isOn: boolean;
  onToggle: (isOn: boolean) => void;
}

function Check({ label, title, isOn, onToggle }: CheckProps) {
  return (
    <label title={title}>
      <input
        type="checkbox"
        checked={isOn}
        onChange={(event) => {
          onToggle(event.target.checked);
        }}
      />
      {label}
    </label>
  );
}

/** What is written here is no filter before it is added: a half-written residue asks the server for nothing. */
function InteractionForm({ onAdd }: { onAdd: (condition: string) => void }) {
  const kind = useId();
  const field = useId();
  const [word, setWord] = useState("HBond");
  const [residue, setResidue] = useState("");

  function submit(event: SubmitEvent<HTMLFormElement>): void {
    event.preventDefault();
    if (residue.trim() === "") return;
    onAdd(`${word}@${residue.trim()}`);
    setResidue("");
  }

  return (
    <form onSubmit={submit}>
      <label htmlFor={kind}>Interaction</label>
      <select
        id={kind}
        value={word}
        onChange={(event) => {
          setWord(event.target.value);
        }}
      >
        {ASKED.map((asked) => (
          <option key={asked.word} value={asked.word}>
            {asked.label}
          </option>
        ))}
      </select>
      <label htmlFor={field}>residue</label>
      <input
        id={field}
        value={residue}
        placeholder="A:GLU80"
        autoComplete="off"
        spellCheck={false}
        onChange={(event) => {
          setResidue(event.target.value);
        }}
      />
      <button type="submit">Require</button>
    </form>
  );
}
