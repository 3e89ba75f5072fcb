import { useMutation, useQueryClient } from "@tanstack/react-query";

import { changeJob, type JobAction, refreshJob, storeJob } from "../api/queries";

/** Cancels, pauses or resumes a job; a refusal mostly means that the job moved on, so it is fetched anew. */
export function useJobAction(id: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (action: JobAction) => changeJob(id, action),
    onSuccess: (job) => {
      storeJob(client, job);
    },
    onError: () => {
      void refreshJob(client, id).catch(() => undefined); // the action's own error is what is shown
    },
  });
}
