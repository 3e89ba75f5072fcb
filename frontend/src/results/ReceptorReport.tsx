import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import type { PreparationReport, ResidueNote } from "../api/client";
import { reportQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { type Column, VirtualTable } from "../components/VirtualTable";
import { count } from "../state/format";
import { countWarnings, sortNotes } from "./notes";
import { type Fact, RowDetails } from "./RowDetails";

const SEVERITY: Record<ResidueNote["severity"], string> = { blocking: "Problem", warning: "Warning", info: "Done" };

type NumberedNote = ResidueNote & { readonly key: string };
const keyOf = (note: NumberedNote): string => note.key;

const COLUMNS: readonly Column<NumberedNote>[] = [
  {
    key: "severity",
    header: "Severity",
    cell: (note) => <span className={`severity severity-${note.severity}`}>{SEVERITY[note.severity]}</span>,
  },
  { key: "residue", header: "Residue", cell: (note) => note.residue },
  {
    key: "distance",
    header: (
      <>
        <span className="title">Distance</span>
        <small>Å from the centre</small>
      </>
    ),
    align: "end",
    cell: (note) => note.distance_angstrom?.toFixed(1) ?? "–",
  },
  { key: "message", header: "What", cell: (note) => <span title={note.message}>{note.message}</span> },
  { key: "action", header: "Code", cell: (note) => <code>{note.action}</code> },
];

/** What the preparation of a receptor changed and found: warnings first, the nearest to the site before the others. */
export function ReceptorReport({ receptorId }: { receptorId: string }) {
  const { data: report, error, refetch } = useQuery(reportQuery(receptorId));
  const [activeKey, activate] = useState<string | null>(null);
  const notes = useMemo(
    () => sortNotes(report?.notes ?? []).map((note, index) => ({ ...note, key: String(index) })),
    [report],
  );
  const active = notes.find((note) => keyOf(note) === activeKey);

  if (report === undefined) {
    if (error === null) return <p className="empty">Loading the receptor&apos;s report…</p>;
    return (
      <ErrorNotice title="The receptor's report could not be loaded." error={error} onRetry={() => void refetch()} />
    );
  }
  return (
    <>
      <p className="summary">{summaryOf(report)}</p>
      {notes.length === 0 ? (
        <p className="empty">The preparation changed no residue and found nothing to warn of.</p>
      ) : (
        <VirtualTable
          className="notes"
          label="Notes of the receptor's preparation"
          columns={COLUMNS}
          rows={notes}
          keyOf={keyOf}
          total={notes.length}
          active={activeKey}
          onActivate={activate}
          onEscape={() => {
            activate(null);
          }}
          hasMore={false}
          isLoadingMore={false}
          onNeedMore={() => undefined}
        />
      )}
      {active && (
        <RowDetails
          label="Selected note"
          facts={factsOf(active)}
          onClose={() => {
            activate(null);
          }}
        />
      )}
    </>
  );
}

function summaryOf(report: PreparationReport): string {
  const sizes = [count(report.n_residues, "residue"), count(report.n_atoms, "atom")];
  const steps = report.steps.length > 0 ? ` Steps: ${report.steps.join("; ")}.` : "";
  return `${[...sizes, count(countWarnings(report.notes), "warning")].join(", ")}.${steps}`;
}

function factsOf(note: ResidueNote): Fact[] {
  return [
    { term: "Severity", text: SEVERITY[note.severity] },
    { term: "Residue", text: note.residue },
    { term: "What", text: note.message },
    { term: "Code", text: note.action },
  ];
}
