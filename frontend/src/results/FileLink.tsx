import { useMutation } from "@tanstack/react-query";
import type { ReactNode } from "react";

import { download } from "../api/client";
import { tokenState } from "../api/token";
import { ErrorNotice } from "../components/ErrorNotice";

interface Props {
  path: string;
  fileName: string;
  children: ReactNode;
}

/** A download. Without a token it is a plain link, so that the browser writes the file as it comes. */
export function FileLink({ path, fileName, children }: Props) {
  const file = useMutation({ mutationFn: () => download(path, fileName) });
  return (
    <>
      <a
        href={path}
        download
        onClick={(event) => {
          if (tokenState().token === null) return;
          event.preventDefault();
          file.mutate();
        }}
      >
        {file.isPending ? `Fetching ${fileName}…` : children}
      </a>
      {file.error && <ErrorNotice title={`${fileName} could not be downloaded.`} error={file.error} />}
    </>
  );
}
