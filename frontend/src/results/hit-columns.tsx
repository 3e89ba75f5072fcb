import type { ReactNode } from "react";

import type { Hit, HitOrder } from "../api/client";
import type { Column } from "../components/VirtualTable";
import { count } from "../state/format";
import { verdictOfHit } from "./pose-verdict";
import { VerdictSign } from "./VerdictSign";

interface Spec {
  key: string;
  title: string;
  unit?: string;
  align?: "end";
  order?: HitOrder;
  /** Only where poses of the job are analysed. */
  isAnalysis?: true;
  cell: (hit: Hit, index: number) => ReactNode;
}

// Each order has one direction: the best first, names from A.
const DIRECTION: Record<HitOrder, "ascending" | "descending"> = {
  score: "ascending",
  ligand_efficiency: "descending",
  size_corrected_score: "ascending",
  name: "ascending",
  molecular_weight: "ascending",
};

const SPECS: readonly Spec[] = [
  { key: "rank", title: "Rank", align: "end", cell: (_, index) => count(index + 1) },
  { key: "name", title: "Name", order: "name", cell: (hit) => <span title={hit.name}>{hit.name}</span> },
  {
    key: "score",
    title: "Docking score",
    unit: "kcal/mol",
    align: "end",
    order: "score",
    cell: (hit) => hit.score_kcal_mol.toFixed(2),
  },
  { key: "checks", title: "Checks", isAnalysis: true, cell: (hit) => <VerdictSign {...verdictOfHit(hit.analysis)} /> },
  {
    key: "strain",
    title: "Strain",
    unit: "kcal/mol",
    align: "end",
    isAnalysis: true,
    cell: (hit) => hit.analysis?.strain_kcal_mol?.toFixed(1) ?? "",
  },
  {
    key: "efficiency",
    title: "Ligand efficiency",
    unit: "kcal/mol per atom",
    align: "end",
    order: "ligand_efficiency",
    cell: (hit) => hit.ligand_efficiency.toFixed(3),
  },
  {
    key: "corrected",
    title: "Size-corrected",
    unit: "kcal/mol",
    align: "end",
    order: "size_corrected_score",
    cell: (hit) => hit.size_corrected_score.toFixed(2),
  },
  { key: "atoms", title: "Heavy atoms", align: "end", cell: (hit) => count(hit.heavy_atoms) },
  {
    key: "weight",
    title: "Weight",
    unit: "g/mol",
    align: "end",
    order: "molecular_weight",
    cell: (hit) => hit.molecular_weight.toFixed(1),
  },
  { key: "poses", title: "Poses", align: "end", cell: (hit) => count(hit.n_poses) },
  {
    key: "spread",
    title: "Score spread",
    unit: "kcal/mol",
    align: "end",
    cell: (hit) => hit.score_spread_kcal_mol?.toFixed(2) ?? "",
  },
  { key: "converged", title: "Converged", cell: (hit) => yesNo(hit.converged) },
  { key: "smiles", title: "SMILES", cell: (hit) => <code title={hit.smiles}>{hit.smiles}</code> },
];

export function hitColumns(order: HitOrder, onOrder: (order: HitOrder) => void, showsAnalyses: boolean): Column<Hit>[] {
  return SPECS.filter((spec) => showsAnalyses || !spec.isAnalysis).map((spec) => ({
    key: spec.key,
    ...(spec.align && { align: spec.align }),
    ...(spec.order && { sorted: spec.order === order ? DIRECTION[order] : "none" }),
    header: <Header spec={spec} order={order} onOrder={onOrder} />,
    cell: spec.cell,
  }));
}

/** A single search round cannot tell whether another one would find the same. */
function yesNo(value: boolean | null): string {
  if (value === null) return "";
  return value ? "yes" : "no";
}

function Header({ spec, order, onOrder }: { spec: Spec; order: HitOrder; onOrder: (order: HitOrder) => void }) {
  const own = spec.order;
  if (own === undefined) return <Title spec={spec} />;
  return (
    <button
      type="button"
      className="sort"
      onClick={() => {
        onOrder(own);
      }}
    >
      <Title spec={spec} {...(own === order && { mark: DIRECTION[own] === "ascending" ? "▲" : "▼" })} />
    </button>
  );
}

/** The mark stands on the side away from the numbers, so that titles stay above them. */
function Title({ spec, mark }: { spec: Spec; mark?: string }) {
  const sign = mark && <span aria-hidden="true">{mark}</span>;
  return (
    <>
      <span className="title">
        {spec.align === "end" && sign}
        {spec.title}
        {spec.align !== "end" && sign}
      </span>
      {spec.unit && <small>{spec.unit}</small>}
    </>
  );
}
