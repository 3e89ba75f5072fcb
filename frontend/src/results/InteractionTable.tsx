import type { PoseAnalysis } from "../api/client";
import { type HitFilter, withInteraction } from "../state/hit-filter";
import type { Route } from "../state/route";
import { INTERACTION, interactionRows } from "./interactions";

interface Props {
  poses: readonly PoseAnalysis[];
  filter: HitFilter;
  address: (part: Partial<Route>) => string;
}

/** Which residues the poses touch, how, and how far away; a residue leads to the hits that do the same. */
export function InteractionTable({ poses, filter, address }: Props) {
  const rows = interactionRows(poses);
  if (rows.length === 0) return <p className="quiet">None were found.</p>;
  return (
    <table className="facts-table">
      <thead>
        <tr>
          <th scope="col">
            Kind <small>the ligand&apos;s part</small>
          </th>
          <th scope="col">Residue</th>
          {poses.map((pose) => (
            <th key={pose.rank} scope="col" className="end">
              Pose {pose.rank} <small>Å</small>
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {rows.map(({ type, residue, distances }) => (
          <tr key={`${type}@${residue}`}>
            <td>{INTERACTION[type]}</td>
            <td>
              <a
                href={address({ filter: withInteraction(filter, `${type}@${residue}`) })}
                title={`Only hits with ${type}@${residue}`}
              >
                {residue}
              </a>
            </td>
            {distances.map((distance, index) => (
              <td key={poses[index]?.rank} className="end">
                {distance?.toFixed(1) ?? "–"}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}
