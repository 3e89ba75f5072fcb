"""The engine process: prepares and docks what its slot asks, one request at a time.

Docking libraries hold the interpreter's lock for minutes, call `exit()`, and may crash or eat memory; so all
of it happens here, and nothing in this process tries to watch itself. The kernel ends it when its slot dies.
"""

import ctypes
import os
import resource
import signal
import sys
from collections import OrderedDict
from typing import BinaryIO

from molecular_analysis_dashboard.adapters.engines.messages import (
    Dock,
    Docked,
    Done,
    Failed,
    OpenSite,
    OutOfMemory,
    PrepareReceptor,
    ReceptorPrepared,
    Request,
    Response,
    Validate,
    Validated,
    read_request,
    write_message,
)
from molecular_analysis_dashboard.domain.errors import EngineFailed, MadError
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec
from molecular_analysis_dashboard.ports.engine import DockingSite

_PR_SET_PDEATHSIG = 1


class Host:
    """Answers requests; keeps the maps of the last few sites.

    Chemistry is imported on first use, so that a process that only validates does not load the engines.
    """

    def __init__(self, warm_sites: int) -> None:
        self._warm_sites = warm_sites
        self._sites: OrderedDict[str, tuple[SiteSpec, DockingSite]] = OrderedDict()

    def answer(self, request: Request) -> Response:
        """Do what is asked; errors of ours become answers, anything else ends the process."""
        try:
            return self._do(request)
        except MadError as error:
            return Failed(type(error).__name__, error.error_code, error.message, dict(error.details))

    def _do(self, request: Request) -> Response:
        match request:
            case OpenSite():
                return self._open(request.site)
            case Dock():
                return self._dock(request)
            case PrepareReceptor():
                from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor

                return ReceptorPrepared(prepare_receptor(request.data, request.file_name, request.options))
            case Validate():
                from molecular_analysis_dashboard.adapters.chemistry.validation import validate_batch

                return Validated(tuple(validate_batch(request.records)))

    def _open(self, site: SiteSpec) -> Done:
        from molecular_analysis_dashboard.adapters.engines.registry import load_engine

        if site.key in self._sites:
            self._sites.move_to_end(site.key)
            return Done()
        while len(self._sites) >= self._warm_sites:
            self._sites.popitem(last=False)
        engine = load_engine(site.protocol.engine)
        self._sites[site.key] = (site, engine.open_site(site.receptor_pdbqt, site.box, site.protocol))
        return Done()

    def _dock(self, request: Dock) -> Docked:
        from molecular_analysis_dashboard.adapters.engines.ligand_docking import dock_ligand

        if request.site_key not in self._sites:
            raise EngineFailed("The docking site is not open in this process.", code="site_not_open")
        spec, site = self._sites[request.site_key]
        return Docked(dock_ligand(site, request.ligand, spec.protocol, spec.seed_parts))


def serve(requests: BinaryIO, responses: BinaryIO, host: Host) -> None:
    """Answer until the slot closes the pipe."""
    while (request := read_request(requests)) is not None:
        try:
            response = host.answer(request)
        except MemoryError:
            write_message(responses, OutOfMemory())
            # The heap is in an unknown state: a fresh process goes on.
            os._exit(1)
        write_message(responses, response)


def die_with_parent(parent_pid: int) -> None:
    """Ask the kernel for SIGKILL when the slot ends, and end now if it already has."""
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent_pid:
        os._exit(1)


def main(arguments: list[str]) -> None:
    """Run: ``host.py PARENT_PID MEMORY_BYTES WARM_SITES``, requests on stdin, responses on stdout."""
    parent_pid, memory_bytes, warm_sites = (int(value) for value in arguments)
    die_with_parent(parent_pid)
    # A terminal's Ctrl-C is for the worker, which tells us what to do by closing the pipe or killing us.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    responses = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    # Libraries print to descriptor 1 from C++; that must not end up between our messages.
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    serve(sys.stdin.buffer, responses, Host(warm_sites))


if __name__ == "__main__":
    main(sys.argv[1:])
