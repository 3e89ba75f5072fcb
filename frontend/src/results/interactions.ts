import type { InteractionType, PoseAnalysis } from "../api/client";

/** What ProLIF finds, from the most telling to the least; the words are of the ligand's part in it. */
export const INTERACTION: Record<InteractionType, string> = {
  HBDonor: "H-bond donor",
  HBAcceptor: "H-bond acceptor",
  Cationic: "Ionic, cation",
  Anionic: "Ionic, anion",
  MetalAcceptor: "Metal, coordinating",
  XBDonor: "Halogen bond donor",
  XBAcceptor: "Halogen bond acceptor",
  CationPi: "Cation–π, cation",
  PiCation: "Cation–π, ring",
  FaceToFace: "π stacking, face to face",
  EdgeToFace: "π stacking, edge to face",
  Hydrophobic: "Hydrophobic",
};

/** Words of the API for what a chemist asks for, whichever side gives. */
export const ASKED: readonly { readonly word: string; readonly label: string }[] = [
  { word: "Any", label: "Any" },
  { word: "HBond", label: "H-bond" },
  { word: "Ionic", label: "Ionic" },
  { word: "Metal", label: "Metal" },
  { word: "Halogen", label: "Halogen bond" },
  { word: "CationOrPi", label: "Cation–π" },
  { word: "PiStacking", label: "π stacking" },
  { word: "Hydrophobic", label: "Hydrophobic" },
];

const TYPES = Object.keys(INTERACTION);

/** One interaction and how far it is in each pose; null where the pose does not have it. */
export interface InteractionRow {
  readonly type: InteractionType;
  readonly residue: string;
  readonly distances: readonly (number | null)[];
}

/** The interactions of all poses side by side: those of the best pose first, then by kind, then by distance. */
export function interactionRows(poses: readonly PoseAnalysis[]): InteractionRow[] {
  const rows = new Map<string, { type: InteractionType; residue: string; distances: (number | null)[] }>();
  poses.forEach((pose, index) => {
    for (const { type, residue, distance_angstrom } of pose.interactions) {
      const key = `${type}@${residue}`;
      const row = rows.get(key) ?? { type, residue, distances: poses.map(() => null) };
      row.distances[index] = distance_angstrom;
      rows.set(key, row);
    }
  });
  return [...rows.values()].sort(
    (a, b) => firstPose(a) - firstPose(b) || TYPES.indexOf(a.type) - TYPES.indexOf(b.type) || nearest(a) - nearest(b),
  );
}

function firstPose(row: InteractionRow): number {
  return row.distances.findIndex((distance) => distance !== null);
}

function nearest(row: InteractionRow): number {
  return Math.min(...row.distances.filter((distance) => distance !== null));
}
