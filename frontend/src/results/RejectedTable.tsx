import { useInfiniteQuery } from "@tanstack/react-query";
import { useCallback, useMemo, useState } from "react";

import type { Job, RejectedItem } from "../api/client";
import { flatten } from "../api/paging";
import { rejectedQuery } from "../api/queries";
import { ErrorNotice } from "../components/ErrorNotice";
import { type Column, VirtualTable } from "../components/VirtualTable";
import { count } from "../state/format";
import { type Fact, RowDetails } from "./RowDetails";

const STAGE: Record<RejectedItem["stage"], string> = { reading: "Reading", docking: "Docking" };
const NONE: never[] = [];

// A line may hold one record only, but a ligand and the record it came from share their line.
const keyOf = (item: RejectedItem): string => `${item.stage} ${item.line} ${item.ligand_id ?? ""}`;

const COLUMNS: readonly Column<RejectedItem>[] = [
  { key: "line", header: "Line", align: "end", cell: (item) => count(item.line) },
  { key: "name", header: "Name", cell: (item) => <span title={item.name}>{item.name}</span> },
  { key: "stage", header: "Rejected at", cell: (item) => STAGE[item.stage] },
  { key: "message", header: "Reason", cell: (item) => <span title={item.message}>{item.message}</span> },
  { key: "code", header: "Code", cell: (item) => <code>{item.reason}</code> },
  { key: "input", header: "Input", cell: (item) => <code title={item.input}>{item.input}</code> },
];

export function RejectedTable({ job }: { job: Job }) {
  const query = useInfiniteQuery(rejectedQuery(job.id));
  const [activeKey, activate] = useState<string | null>(null);
  const { fetchNextPage } = query;
  const loadMore = useCallback(() => void fetchNextPage(), [fetchNextPage]);
  const pages = query.data?.pages ?? NONE;
  const items = useMemo(() => flatten(pages, keyOf), [pages]);

  const active = items.find((item) => keyOf(item) === activeKey);

  if (query.error && items.length === 0) {
    return (
      <ErrorNotice
        title="The rejected list could not be loaded."
        error={query.error}
        onRetry={() => void query.refetch()}
      />
    );
  }
  if (query.isPending) return <p className="empty">Loading the rejected list…</p>;
  if (items.length === 0) return <p className="empty">Nothing was rejected.</p>;
  return (
    <>
      <VirtualTable
        className="rejected"
        label={`Rejected ligands of ${job.name}`}
        columns={COLUMNS}
        rows={items}
        keyOf={keyOf}
        total={Math.max(job.counts.rejected + job.counts.rejected_at_reading, items.length)}
        active={activeKey}
        onActivate={activate}
        onEscape={() => {
          activate(null);
        }}
        hasMore={query.hasNextPage && !query.isFetchNextPageError}
        isLoadingMore={query.isFetching}
        onNeedMore={loadMore}
      />
      {active && (
        <RowDetails
          label="Selected rejection"
          facts={factsOf(active)}
          onClose={() => {
            activate(null);
          }}
        />
      )}
    </>
  );
}

function factsOf(item: RejectedItem): Fact[] {
  return [
    { term: "Line", text: count(item.line) },
    { term: "Name", text: item.name },
    { term: "Reason", text: item.message },
    { term: "Code", text: item.reason },
    { term: "Input", text: item.input, isCode: true },
  ];
}
