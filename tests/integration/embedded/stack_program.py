"""Runs a stack described by JSON on the command line, the way a real command would."""

import json
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from molecular_analysis_dashboard.domain.errors import InvalidInput, MadError
from molecular_analysis_dashboard.infrastructure.embedded.servers import EmbeddedAddresses, EmbeddedServers
from molecular_analysis_dashboard.infrastructure.embedded.supervisor import ManagedProcess, Supervisor


def main() -> None:
    order = json.loads(sys.argv[1])

    def plan(addresses: EmbeddedAddresses) -> Sequence[ManagedProcess]:
        if order.get("plan_fails"):
            raise InvalidInput("the plan failed")
        return [managed(process, addresses) for process in order["processes"]]

    servers = EmbeddedServers(Path(order["data_dir"]), durable=False)
    try:
        Supervisor(
            servers,
            plan,
            url="http://127.0.0.1:1",
            ports={"api": 1},
            on_stop=lambda: say("stopping"),
            on_trouble=say,
        ).run()
    except MadError as error:
        sys.stderr.write(f"{error.error_code}: {error.message}\n")
        sys.exit(1)


def say(sentence: str) -> None:
    sys.stderr.write(f"{sentence}\n")
    sys.stderr.flush()


def managed(process: dict[str, str], addresses: EmbeddedAddresses) -> ManagedProcess:
    ready_file = process.get("ready_file")
    return ManagedProcess(
        name=process["name"],
        command=["/bin/sh", "-c", process["script"]],
        environment={"PATH": os.environ["PATH"], "DATABASE_URL": addresses.database_url},
        stop_timeout_s=float(process.get("stop_timeout_s", 10)),
        health_check=Path(ready_file).exists if ready_file else None,
        start_timeout_s=2.0,
    )


if __name__ == "__main__":
    main()
