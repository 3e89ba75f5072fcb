"""Starts the servers of a data folder, prints their process numbers, and waits until it is killed."""

import json
import signal
import sys
from pathlib import Path

from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers


def main() -> None:
    servers = EmbeddedServers(Path(sys.argv[1]))
    addresses = servers.start()
    report = {"pids": [servers.postgres_pid, servers.redis_pid], "url": addresses.database_url}
    sys.stdout.write(json.dumps(report) + "\n")
    sys.stdout.flush()
    signal.pause()


if __name__ == "__main__":
    main()
