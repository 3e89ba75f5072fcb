import type { Hit, HitOrder } from "../api/client";
import type { Column } from "../components/VirtualTable";
import { count } from "../state/format";

interface Spec {
  key: string;
  title: string;
  unit?: string;
  align?: "end";
  order?: HitOrder;
  cell: (hit: Hit, index: number) => string;
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
  { key: "name", title: "Name", order: "name", cell: (hit) => hit.name },
  {
    key: "score",
    title: "Docking score",
    unit: "kcal/mol",
    align: "end",
    order: "score",
    cell: (hit) => hit.score_kcal_mol.toFixed(2),
  },
  {
    key: "efficiency",
    title: "Ligand efficiency",
    unit: "kcal/mol per atom",
    align: "end",
    order: "ligand_efficiency",
    cell: (hit) => hit.ligand_efficiency.toFixed(3),
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
  { key: "smiles", title: "SMILES", cell: (hit) => hit.smiles },
];

export function hitColumns(order: HitOrder, onOrder: (order: HitOrder) => void): Column<Hit>[] {
  return SPECS.map((spec) => ({
    key: spec.key,
    ...(spec.align && { align: spec.align }),
    ...(spec.order && { sorted: spec.order === order ? DIRECTION[order] : "none" }),
    header: <Header spec={spec} order={order} onOrder={onOrder} />,
    cell: (hit, index) => <CellText spec={spec} text={spec.cell(hit, index)} />,
  }));
}

/** A single search round cannot tell whether another one would find the same. */
function yesNo(value: boolean | null): string {
  if (value === null) return "";
  return value ? "yes" : "no";
}

function CellText({ spec, text }: { spec: Spec; text: string }) {
  if (spec.key === "smiles") return <code title={text}>{text}</code>;
  return spec.key === "name" ? <span title={text}>{text}</span> : text;
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
