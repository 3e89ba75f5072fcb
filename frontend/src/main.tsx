import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";

import { ApiError } from "./api/errors";
import { App } from "./App";
import "./styles/base.css";
import "./styles/jobs.css";
import "./styles/results.css";

const client = new QueryClient({
  defaultOptions: {
    queries: {
      // The server may be this machine: it answers without a network too.
      networkMode: "always",
      staleTime: 5_000,
      retry: (failures, error) => failures < 2 && error instanceof ApiError && error.mayPass,
    },
    mutations: { networkMode: "always" },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no element #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
);
