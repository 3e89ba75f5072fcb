import { API } from "../api/client";
import { FileLink } from "./FileLink";

const FILES = [
  { name: "hits.csv", label: "Hits (CSV)" },
  { name: "poses.sdf", label: "Poses (SDF)" },
  { name: "rejected.csv", label: "Rejected (CSV)" },
  { name: "provenance.json", label: "Provenance (JSON)" },
] as const;

export function Exports({ jobId }: { jobId: string }) {
  return (
    <ul className="exports" aria-label="Downloads">
      {FILES.map(({ name, label }) => (
        <li key={name}>
          <FileLink path={`${API}/jobs/${jobId}/export/${name}`} fileName={name}>
            {label}
          </FileLink>
        </li>
      ))}
    </ul>
  );
}
