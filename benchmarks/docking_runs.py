"""One docking, measured: by the `vina` command, or by our engine in a process that keeps its maps."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

import numpy as np
from benchmarks.data import dockstring_box, dockstring_receptor
from benchmarks.docking_pairs import Pair

from molecular_analysis_dashboard.adapters.engines.rounds import dock_in_rounds
from molecular_analysis_dashboard.adapters.engines.vina import VinaEngine
from molecular_analysis_dashboard.adapters.engines.vina_search import objectives
from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.ports.engine import DockingSite

# The same cube everywhere, so that no target counts for more; DOCKSTRING's own have 30 Å, most screens less.
EDGE_ANGSTROM = 22.5


@dataclass(frozen=True)
class Measured:
    """What one docking took and reached.

    Parameters
    ----------
    setting : str
        Column of the table.
    cpu_s : float
        CPU seconds of the docking; maps are in it where the setting makes them for every ligand.
    objective_kcal_mol : float
        What the search minimises, on the scale of the score: what two searches can be compared by.
    converged : bool or None
        Whether the search said so of itself; None where it cannot tell.
    """

    pair: str
    torsions: int
    setting: str
    seed: int
    cpu_s: float
    score_kcal_mol: float
    objective_kcal_mol: float
    converged: bool | None = None


class Command:
    """The `vina` command, one process per ligand."""

    def __init__(self, program: str) -> None:
        self._program = program
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        self.version = next((word.lstrip("v") for word in said.split() if word.lstrip("v")[:1].isdigit()), "unknown")

    @property
    def comparable(self) -> bool:
        """Whether its scores mean the same as those of the bindings."""
        return self.version.split("-")[0] == version("vina")

    def dock(self, pair: Pair, exhaustiveness: int, seed: int) -> Measured:
        """Dock one ligand as a user would by hand."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            (folder / "receptor.pdbqt").write_text(dockstring_receptor(pair.target))
            (folder / "ligand.pdbqt").write_text(pair.state.pdbqt)
            box = dockstring_box(pair.target, EDGE_ANGSTROM)
            place = zip(("x", "y", "z"), box.center, box.size, strict=True)
            lines = [f"center_{axis} = {middle}\nsize_{axis} = {edge}\n" for axis, middle, edge in place]
            (folder / "box.txt").write_text("".join(lines))
            arguments = ["--receptor", "receptor.pdbqt", "--ligand", "ligand.pdbqt", "--config", "box.txt"]
            arguments += ["--cpu", "1", "--exhaustiveness", str(exhaustiveness), "--seed", str(seed), "--out", "out"]
            cpu_s = cpu_s_of([self._program, *arguments, "--verbosity", "0"], folder, os.environ)
            score, objective = _best((folder / "out").read_text())
        return Measured(pair.key, pair.state.torsions, f"vina {exhaustiveness}", seed, cpu_s, score, objective)


class FreshBindings:
    """The bindings in the command's place: a process per ligand, which makes its own maps."""

    version = version("vina")

    def dock(self, pair: Pair, exhaustiveness: int, seed: int) -> Measured:
        """Dock one ligand in a process of its own."""
        with tempfile.TemporaryDirectory() as name:
            job = _job(pair, SearchEffort(exhaustiveness), seed)
            (Path(name) / "job").write_text(json.dumps(job) + "\n")
            (Path(name) / "run.sh").write_text(
                f"exec {sys.executable} -m benchmarks.docking_runs < {name}/job > {name}/out"
            )
            cpu_s = cpu_s_of(["sh", f"{name}/run.sh"], Path.cwd(), os.environ)
            answer = json.loads((Path(name) / "out").read_text())
        score, objective = answer["score_kcal_mol"], answer["objective_kcal_mol"]
        return Measured(pair.key, pair.state.torsions, f"vina {exhaustiveness}", seed, cpu_s, score, objective)


class OurEngine:
    """A process of ours, as a worker's slot keeps it: maps are made once for a target.

    Parameters
    ----------
    python_path : str
        Folder of another build of Vina's bindings; empty for the installed one.
    """

    def __init__(self, name: str, effort: SearchEffort, python_path: str) -> None:
        self.name = name
        self._effort = effort
        environment = dict(os.environ)
        if python_path:
            environment["PYTHONPATH"] = os.pathsep.join(filter(None, (python_path, os.environ.get("PYTHONPATH", ""))))
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.docking_runs"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def dock(self, pair: Pair, seed: int) -> tuple[Measured, float]:
        """Dock one ligand; the second value is what its target's maps took, 0 when they were there."""
        if self._process.stdin is None or self._process.stdout is None:
            raise RuntimeError("The engine process has no pipes.")
        self._process.stdin.write(json.dumps(_job(pair, self._effort, seed)) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        maps_s = answer.pop("maps_s")
        return Measured(pair=pair.key, torsions=pair.state.torsions, setting=self.name, seed=seed, **answer), maps_s

    def close(self) -> float:
        """End the process and return its peak memory in MB."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        _, status, used = os.wait4(self._process.pid, 0)
        self._process.returncode = os.waitstatus_to_exitcode(status)
        return used.ru_maxrss / 1024


def _job(pair: Pair, effort: SearchEffort, seed: int) -> Mapping[str, object]:
    return {"target": pair.target, "state": asdict(pair.state), "effort": effort.as_json(), "seed": seed}


def cpu_s_of(arguments: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """Run a program and return the CPU seconds of it and its children."""
    process = subprocess.Popen(arguments, cwd=folder, env=environment, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        raise subprocess.CalledProcessError(process.returncode, arguments)
    return used.ru_utime + used.ru_stime


def _best(out: str) -> tuple[float, float]:
    """Read score and objective of the first pose that the command wrote."""
    model = out.partition("ENDMDL")[0]
    found = {line[7:].partition(":")[0].strip(): line.partition(":")[2].split() for line in model.splitlines()}
    score = float(found["VINA RESULT"][0])
    inter, intra, unbound = (float(found[name][0]) for name in ("INTER", "INTRA", "UNBOUND"))
    objective = objectives(np.array([[score, inter, intra, 0.0, unbound]]), "vina")[0]
    return score, score if objective is None else objective


def main() -> None:
    """Dock what comes in, one job a line; tell what it took, one answer a line."""
    target, site = "", None
    for line in sys.stdin:
        job = json.loads(line)
        protocol = DockingProtocol(effort=SearchEffort.from_json(job["effort"]))
        state = LigandState(**job["state"])
        maps_s = 0.0
        if job["target"] != target or site is None:
            started = time.process_time()
            target, site = job["target"], _open(job["target"], protocol)
            maps_s = time.process_time() - started
        started = time.process_time()
        poses, search = dock_in_rounds(site, state, protocol, job["seed"])
        answer = {
            "cpu_s": time.process_time() - started,
            "maps_s": maps_s,
            "score_kcal_mol": poses[0].score_kcal_mol,
            "objective_kcal_mol": poses[0].objective,
            "converged": search.converged,
        }
        sys.stdout.write(json.dumps(answer) + "\n")
        sys.stdout.flush()


def _open(target: str, protocol: DockingProtocol) -> DockingSite:
    return VinaEngine().open_site(dockstring_receptor(target), dockstring_box(target, EDGE_ANGSTROM), protocol)


if __name__ == "__main__":
    main()
