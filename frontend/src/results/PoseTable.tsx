import type { HitDetail, LigandAnalysis, PoseAnalysis } from "../api/client";
import { checkName, checksThat, verdictOfPose } from "./pose-verdict";
import { VerdictSign } from "./VerdictSign";

interface Props {
  scores: HitDetail["poses"];
  found: LigandAnalysis | undefined;
}

/** The poses of a hit with what is known of each; those that are not analysed have their score. */
export function PoseTable({ scores, found }: Props) {
  if (scores.length === 0) return <p className="quiet">Loading the poses…</p>;
  return (
    <table className="facts-table">
      <thead>
        <tr>
          <th scope="col">Pose</th>
          <th scope="col" className="end">
            Score <small>kcal/mol</small>
          </th>
          <th scope="col" className="end" title="To pose 1: heavy atoms, best symmetric mapping, not superposed">
            RMSD <small>Å</small>
          </th>
          <th scope="col" className="end" title={strainTitle(found)}>
            Strain <small>kcal/mol</small>
          </th>
          <th scope="col">Checks</th>
        </tr>
      </thead>
      <tbody>
        {scores.map(({ rank, score_kcal_mol }) => {
          const index = found?.poses.findIndex((pose) => pose.rank === rank) ?? -1;
          const pose = found?.poses[index];
          return (
            <tr key={rank}>
              <th scope="row">{rank}</th>
              <td className="end">{score_kcal_mol.toFixed(2)}</td>
              <td className="end">{found?.rmsd_angstrom[0]?.[index]?.toFixed(2) ?? "–"}</td>
              <td className="end">{pose?.strain_kcal_mol?.toFixed(1) ?? "–"}</td>
              <td>{found && <Checks pose={pose} />}</td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}

function Checks({ pose }: { pose: PoseAnalysis | undefined }) {
  const sign = <VerdictSign {...verdictOfPose(pose)} />;
  if (pose === undefined) return sign;
  if (pose.failure !== null) {
    return (
      <>
        {sign}: {pose.message ?? pose.failure}
      </>
    );
  }
  const failed = checksThat(pose, false);
  const unknown = checksThat(pose, null);
  return (
    <>
      {sign}
      {failed.length > 0 && <>: {failed.map(checkName).join(", ")}</>}
      {unknown.length > 0 && <p className="quiet">Could not be computed: {unknown.map(checkName).join(", ")}</p>}
      {Object.entries(pose.problems).map(([part, sentence]) => (
        <p key={part} className="quiet">
          No {part}: {sentence}
        </p>
      ))}
    </>
  );
}

function strainTitle(found: LigandAnalysis | undefined): string {
  const method = found?.poses.find((pose) => pose.strain_method !== "")?.strain_method;
  return `Energy above the best known conformer${method === undefined ? "" : `: ${method}`}`;
}
