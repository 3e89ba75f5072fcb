"""Starts, uses and stops the servers twice as an ordinary user; prints ``ok``."""

import os
import sys
from pathlib import Path

import psycopg

from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedServers


def main() -> None:
    data_dir = Path(sys.argv[1])
    for _ in range(2):
        with EmbeddedServers(data_dir) as servers:
            with psycopg.connect(servers.addresses.database_url.replace("+psycopg", "")) as connection:
                connection.execute("CREATE TABLE IF NOT EXISTS kept (value integer)")
            owners = {Path(f"/proc/{pid}").stat().st_uid for pid in (servers.postgres_pid, servers.redis_pid)}
            if owners != {os.geteuid()}:
                sys.exit(f"the servers run as {owners}, not as {os.geteuid()}")
    if data_dir.stat().st_mode & 0o077:
        sys.exit("the data folder is open to others")
    sys.stdout.write("ok\n")


if __name__ == "__main__":
    main()
