import { useQuery } from "@tanstack/react-query";
import { type Ref, useImperativeHandle, useRef } from "react";

import { analysisQuery } from "../api/analysis-queries";
import { API, type Hit, type HitDetail, type Job } from "../api/client";
import { hitQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import type { Focusable } from "../components/VirtualTable";
import type { HitFilter } from "../state/hit-filter";
import type { Route } from "../state/route";
import { AnalysisRequest } from "./AnalysisRequest";
import { FileLink } from "./FileLink";
import { InteractionTable } from "./InteractionTable";
import { LigandSection } from "./LigandSection";
import { PoseTable } from "./PoseTable";
import { type Fact, Facts } from "./RowDetails";

interface Props {
  job: Job;
  hitId: string;
  /** The hit as the list has it, if it is loaded there. */
  row: Hit | undefined;
  openAnalyses: readonly Job[];
  filter: HitFilter;
  address: (part: Partial<Route>) => string;
  onClose: () => void;
  ref: Ref<Focusable>;
}

/** Everything that is known about one hit. Enter in the list leads here, Escape back. */
export function HitPanel(props: Props) {
  const { job, hitId, row, onClose, ref } = props;
  const section = useRef<HTMLElement>(null);
  useImperativeHandle(ref, () => ({ focus: () => section.current?.focus() }));
  const { data: hit, error, refetch } = useQuery(hitQuery(job.id, hitId, row));
  return (
    // Escape anywhere inside closes it.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-element-interactions
    <section
      ref={section}
      className="hit-panel"
      aria-label="Selected hit"
      // Reached from the list, and scrolled by the arrows.
      tabIndex={-1}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <header>
        <h2>{hit?.name ?? "Hit"}</h2>
        <div className="details-actions">
          {hit && (
            <FileLink path={`${API}/jobs/${job.id}/ligands/${hitId}/poses.sdf`} fileName={`${hit.name}.sdf`}>
              Poses (SDF)
            </FileLink>
          )}
          <button type="button" onClick={onClose} aria-label="Close the details">
            Close
          </button>
        </div>
      </header>
      {error && <ErrorNotice title="The hit could not be loaded." error={error} onRetry={() => void refetch()} />}
      {hit === undefined ? !error && <p className="quiet">Loading the hit…</p> : <Known {...props} hit={hit} />}
    </section>
  );
}

function Known({ job, hit, openAnalyses, filter, address }: Props & { hit: HitDetail }) {
  const { data: found, error, refetch } = useQuery(analysisQuery(job.id, hit.ligand_id));
  const analysed = found?.poses.filter((pose) => pose.failure === null) ?? [];
  return (
    <>
      <Facts facts={factsOf(hit)} />
      {error && <ErrorNotice title="The analysis could not be loaded." error={error} onRetry={() => void refetch()} />}
      <div className="hit-sections">
        <section aria-label="Poses">
          <h3>Poses</h3>
          <PoseTable scores={hit.poses} found={found} />
          {found && analysed.length < Math.max(1, found.poses.length) && (
            <AnalysisRequest job={job} ligandId={hit.ligand_id} found={found} open={openAnalyses} />
          )}
        </section>
        {analysed.length > 0 && (
          <section aria-label="Interactions">
            <h3>Interactions</h3>
            <InteractionTable poses={analysed} filter={filter} address={address} />
          </section>
        )}
        {found && (
          <section aria-label="Ligand">
            <h3>Ligand</h3>
            <LigandSection jobId={job.id} found={found} isAnalysed={analysed.length > 0} address={address} />
          </section>
        )}
      </div>
    </>
  );
}

function factsOf(hit: Hit): Fact[] {
  const facts: Fact[] = [
    { term: "Docking score", text: `${hit.score_kcal_mol.toFixed(3)} kcal/mol` },
    { term: "InChIKey", text: hit.inchikey, isCode: true },
    { term: "SMILES", text: hit.smiles, isCode: true },
  ];
  if (hit.state_smiles !== hit.smiles) facts.push({ term: "Docked as", text: hit.state_smiles, isCode: true });
  return facts;
}
