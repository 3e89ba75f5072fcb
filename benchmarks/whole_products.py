"""EasyDock beside our own path as whole products: from SMILES to poses, the ligands of one target at once, on one CPU.

Both read the same SMILES, make conformers and PDBQT themselves and search with Vina's bindings at the same receptor,
box and seed. CPU seconds are those of the whole process tree, with start-up, maps and preparation: EasyDock starts a
Python and makes maps for every ligand, our engine process does so once. Ours also makes protonation states, which
EasyDock leaves to programs that do not come with it; it runs without the server and its database, EasyDock with its
SQLite file.
"""

import os
import resource
import sqlite3
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.data import dockstring_box, dockstring_receptor
from benchmarks.docking import dock_smiles, engine_process, site_of
from benchmarks.docking_pairs import Pair
from benchmarks.docking_runs import EDGE_ANGSTROM, cpu_s_of

from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol, SearchEffort

EASYDOCK_EXHAUSTIVENESS = 8
_POSES = 3
_VERSIONS = "from importlib.metadata import version; print(version('easydock'), version('vina'))"


@dataclass(frozen=True)
class Whole:
    """What docking the ligands of one target took, all together.

    Parameters
    ----------
    scores_kcal_mol : mapping
        Best docking score by ligand; ligands without one are absent.
    """

    product: str
    target: str
    seed: int
    ligands: tuple[str, ...]
    cpu_s: float
    scores_kcal_mol: dict[str, float]


class EasyDock:
    """The `easydock` command of an environment of its own."""

    def __init__(self, program: str) -> None:
        self._program = program
        python = Path(program).with_name("python")
        said = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True).stdout
        self.version, self.vina_version = said.split()
        self.name = f"easydock {EASYDOCK_EXHAUSTIVENESS}"

    def dock(self, target: str, pairs: Sequence[Pair], seed: int) -> Whole:
        """Dock ligands into one target, as a user would: one command for all of them."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            _write_inputs(folder, target, pairs, seed)
            arguments = ["--input", "ligands.smi", "--output", "out.db", "--config", "config.yml", "--log", "log.txt"]
            arguments = [self._program, *arguments, "--program", "vina", "--ncpu", "1"]
            cpu_s = cpu_s_of(arguments, folder, os.environ)
            database = sqlite3.connect(folder / "out.db")
            scores = dict(database.execute("SELECT id, docking_score FROM mols WHERE docking_score IS NOT NULL"))
            database.close()
        return Whole(self.name, target, seed, tuple(pair.ligand for pair in pairs), cpu_s, scores)


class Ours:
    """Our own path without a server: an engine process asked for one ligand after the other."""

    def __init__(self, name: str, effort: SearchEffort) -> None:
        self.name = name
        self._effort = effort

    def dock(self, target: str, pairs: Sequence[Pair], seed: int) -> Whole:
        """Dock ligands into one target; the engine process starts and ends with them."""
        protocol = DockingProtocol(effort=self._effort, seed=seed, n_poses=_POSES)
        site = site_of(dockstring_receptor(target), dockstring_box(target, EDGE_ANGSTROM), protocol)
        started_s = _own_cpu_s()
        with engine_process() as process:
            outcomes = {pair.ligand: dock_smiles(process, site, pair.state.smiles) for pair in pairs}
        cpu_s = _own_cpu_s() - started_s
        scores = {name: one.score_kcal_mol for name, one in outcomes.items() if isinstance(one, DockedLigand)}
        return Whole(self.name, target, seed, tuple(outcomes), cpu_s, scores)


def whole_table(rows: Sequence[Whole], base: str) -> list[str]:
    """Return the lines of the table: CPU per ligand, and the ratio to that of `base` on the same ligands and seed."""
    lines = [
        "whole products, from SMILES to poses",
        f"{'product':<30} {'ligands':>7} {'docked':>6} {'CPU s':>7} {'ratio':>6} {'mean best score':>16}",
    ]
    of_base = {(row.target, row.seed, row.ligands): row for row in rows if row.product == base}
    for product in dict.fromkeys(row.product for row in rows):
        found = [row for row in rows if row.product == product]
        keys = [(row.target, row.seed, row.ligands) for row in found]
        both = [(row, of_base[key]) for row, key in zip(found, keys, strict=True) if key in of_base]
        ratio = sum(other.cpu_s for _, other in both) / sum(row.cpu_s for row, _ in both) if both else float("nan")
        n_ligands = sum(len(row.ligands) for row in found)
        scores = [score for row in found for score in row.scores_kcal_mol.values()]
        mean = sum(scores) / len(scores) if scores else float("nan")
        cpu_s = sum(row.cpu_s for row in found) / n_ligands
        lines.append(f"{product:<30} {n_ligands:>7} {len(scores):>6} {cpu_s:>7.2f} {ratio:>6.2f} {mean:>16.2f}")
    return [
        *lines,
        f"CPU s: whole process tree, mean per ligand. ratio: {base} over the product, summed over the same ligands.",
    ]


def _write_inputs(folder: Path, target: str, pairs: Sequence[Pair], seed: int) -> None:
    box = dockstring_box(target, EDGE_ANGSTROM)
    place = zip(("x", "y", "z"), box.center, box.size, strict=True)
    lines = [f"center_{axis} = {middle}\nsize_{axis} = {edge}\n" for axis, middle, edge in place]
    (folder / "receptor.pdbqt").write_text(dockstring_receptor(target))
    (folder / "box.txt").write_text("".join(lines))
    (folder / "ligands.smi").write_text("".join(f"{pair.state.smiles}\t{pair.ligand}\n" for pair in pairs))
    (folder / "config.yml").write_text(
        f"protein: receptor.pdbqt\nprotein_setup: box.txt\nexhaustiveness: {EASYDOCK_EXHAUSTIVENESS}\n"
        f"seed: {seed}\nn_poses: {_POSES}\nncpu: 1\n"
    )


def _own_cpu_s() -> float:
    """Return the CPU seconds of this process and of its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
