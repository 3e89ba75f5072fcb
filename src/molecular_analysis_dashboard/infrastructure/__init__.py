"""Settings, logging, processes and the composition root."""
