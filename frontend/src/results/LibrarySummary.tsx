import { useQuery } from "@tanstack/react-query";

import { API } from "../api/client";
import { libraryQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { count } from "../state/format";
import { FileLink } from "./FileLink";

/** What reading a library has come to: every record is a ligand or a rejection. */
export function LibrarySummary({ libraryId }: { libraryId: string }) {
  const { data: library, error, refetch } = useQuery(libraryQuery(libraryId));
  if (library === undefined) {
    if (error === null) return <p className="empty">Loading the library…</p>;
    return <ErrorNotice title="The library could not be loaded." error={error} onRetry={() => void refetch()} />;
  }
  return (
    <div className="empty">
      <p>
        Library {library.name}: {count(library.n_records, "record")} read, {count(library.n_ligands, "ligand")},{" "}
        {count(library.n_rejected)} rejected.
      </p>
      {library.n_rejected > 0 && (
        <p>
          <FileLink path={`${API}/libraries/${library.id}/rejections.csv`} fileName="rejections.csv">
            Rejected records with reasons (CSV)
          </FileLink>
        </p>
      )}
    </div>
  );
}
