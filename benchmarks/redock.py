"""How often the native ligand is found again, over the redocking set and by the product's own path.

Every receptor is prepared as the product prepares it by default, every native ligand is docked from its SMILES as a
`redock` job docks it (`adapters/engines/redocking.py`, in the engine process), and paired with that by Vina's plain
search at exhaustiveness 8 where the chosen effort is another one. Reads `MAD_BENCHMARK_DATA/redocking`. Results are
kept in `--results` as they come, so that a later call goes on where an earlier one stopped; the table is printed over
everything that is there.
"""

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from benchmarks.data import data_folder
from benchmarks.docking import effort_named, engine_process, site_of
from benchmarks.pose_validity import failed_checks
from benchmarks.redocking_set import Complex, read_complexes, read_published

from molecular_analysis_dashboard.adapters.chemistry.native_ligand import NativeLigand, read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.sites import DEFAULT_PADDING_ANGSTROM, box_around
from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.adapters.engines.registry import installed_builds
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions
from molecular_analysis_dashboard.domain.redocking import (
    RMSD_LIMIT_ANGSTROM,
    Redocked,
    RedockingRun,
    measures,
    run_seeds,
)

# Vina's plain search at its own default.
BASELINE = "8"
RESAMPLES = 10_000


@dataclass(frozen=True)
class Row:
    """One run of one complex, or why there is none."""

    build: str
    effort: str
    complex: str
    seed: int
    refused: str = ""
    top_rmsd_angstrom: float | None = None
    best_rmsd_angstrom: float | None = None
    top_score_kcal_mol: float | None = None
    native_score_kcal_mol: float | None = None
    miss: str | None = None
    failed_checks: tuple[str, ...] = ()
    seconds_cpu: float = 0.0

    @property
    def key(self) -> tuple[str, str, str, int]:
        """What tells this run from all others."""
        return self.build, self.effort, self.complex, self.seed

    @property
    def is_success(self) -> bool:
        """Whether the top pose is the native one."""
        return self.top_rmsd_angstrom is not None and self.top_rmsd_angstrom <= RMSD_LIMIT_ANGSTROM


class Bench:
    """Runs what is missing and keeps it."""

    def __init__(
        self, process: EngineProcess, results: Path, build: str, efforts: Sequence[str], seeds: Sequence[int]
    ) -> None:
        self._results = results
        self._wanted = [(build, effort, seed) for effort in efforts for seed in seeds]
        self._process = process
        self.rows = {row.key: row for row in _read(results)}

    def run(self, found: Complex) -> None:
        """Do the runs of a complex that are not there yet."""
        missing = [
            (build, effort, seed)
            for build, effort, seed in self._wanted
            if (build, effort, found.id, seed) not in self.rows
        ]
        if not missing:
            return
        try:
            native, receptor = self._prepared(found)
        except MadError as error:
            for build, effort, seed in missing:
                self._keep(Row(build, effort, found.id, seed, refused=f"{error.error_code}: {error.message}"))
            return
        for build, effort, seed in missing:
            self._keep(self._redocked(Row(build, effort, found.id, seed), native, receptor))

    def _prepared(self, found: Complex) -> tuple[NativeLigand, PreparedReceptor]:
        native = read_ligand_file(found.ligand.read_bytes(), found.ligand.name)
        box = box_around(native.coordinates)
        radius = max(box.size) / 2 - DEFAULT_PADDING_ANGSTROM
        options = ReceptorOptions(site_center=box.center, site_radius_angstrom=max(radius, 0.0))
        return native, self._process.prepare_receptor(found.protein.read_bytes(), found.protein.name, options)

    def _redocked(self, row: Row, native: NativeLigand, receptor: PreparedReceptor) -> Row:
        protocol = DockingProtocol(effort=effort_named(row.effort), seed=row.seed)
        site = site_of(receptor.pdbqt, box_around(native.coordinates), protocol)
        block = str(native.mol_block)
        try:
            self._process.open_site(site)
            outcome = self._process.redock(site, block)
        except MadError as error:
            self._process.restart()
            return replace(row, refused=f"{error.error_code}: {error.message}")
        if not isinstance(outcome, Redocked):
            return replace(row, refused=f"{outcome.reason}: {outcome.message}")
        run = RedockingRun(1, row.seed, measures(outcome.docked.poses, outcome.rmsds_angstrom), outcome.native)
        return replace(
            row,
            top_rmsd_angstrom=run.top_rmsd_angstrom,
            best_rmsd_angstrom=run.best_rmsd_angstrom,
            top_score_kcal_mol=run.top_score_kcal_mol,
            native_score_kcal_mol=run.native.best_kcal_mol,
            miss=run.miss,
            failed_checks=failed_checks(
                outcome.docked.state_mol_block, outcome.docked.poses[0].coordinates, block, receptor.pdb
            ),
            seconds_cpu=outcome.docked.seconds_cpu,
        )

    def _keep(self, row: Row) -> None:
        self.rows[row.key] = row
        self._results.parent.mkdir(parents=True, exist_ok=True)
        with self._results.open("a") as stream:
            stream.write(json.dumps(asdict(row)) + "\n")
        print(_line(row), flush=True)


def _read(results: Path) -> Iterator[Row]:
    if results.exists():
        for line in results.read_text().splitlines():
            body: dict[str, Any] = json.loads(line)
            yield Row(**body | {"failed_checks": tuple(body["failed_checks"])})


def _line(row: Row) -> str:
    head = f"{row.complex}  effort {row.effort:<8} seed {row.seed:<4}"
    if row.refused:
        return f"{head} refused: {row.refused[:100]}"
    invalid = f"  not valid: {', '.join(row.failed_checks)}" if row.failed_checks else ""
    miss = f"  {row.miss}" if row.miss else ""
    return (
        f"{head} top {row.top_rmsd_angstrom:5.2f} Å  best {row.best_rmsd_angstrom:5.2f} Å  "
        f"{row.top_score_kcal_mol:7.2f} kcal/mol  {row.seconds_cpu:6.0f} CPU s{miss}{invalid}"
    )


class Table:
    """The sums over rows of one effort."""

    def __init__(self, rows: Sequence[Row], complexes: Sequence[Complex]) -> None:
        self._of = {one.id: [row for row in rows if row.complex == one.id] for one in complexes}

    def tried(self) -> list[str]:
        """Return the complexes with any row, refused ones included."""
        return [id_ for id_, rows in self._of.items() if rows]

    def success(self, id_: str) -> float:
        """Return the share of a complex's seeds that found the native pose; none when it was refused."""
        return float(np.mean([row.is_success for row in self._of[id_]]))

    def share(self, ids: Sequence[str]) -> str:
        """Return the success over complexes as text."""
        if not ids:
            return "-"
        return f"{100 * float(np.mean([self.success(id_) for id_ in ids])):5.1f} % of {len(ids)}"

    def docked(self) -> list[str]:
        """Return the complexes that were docked."""
        return [id_ for id_, rows in self._of.items() if any(not row.refused for row in rows)]

    def valid(self) -> str:
        """Return the share of the successes whose top pose passes every PoseBusters check."""
        successes = [row for rows in self._of.values() for row in rows if row.is_success]
        if not successes:
            return "-"
        return f"{100 * float(np.mean([not row.failed_checks for row in successes])):5.1f} % of {len(successes)}"

    def refused(self) -> list[Row]:
        """Return one row of each refused complex."""
        return [rows[0] for rows in self._of.values() if rows and all(row.refused for row in rows)]

    def seconds_cpu(self, ids: Sequence[str]) -> float:
        """Return CPU seconds of the runs of complexes."""
        return sum(row.seconds_cpu for id_ in ids for row in self._of[id_])


def _print_table(table: Table, complexes: Sequence[Complex], label: str) -> None:
    astex = [one.id for one in complexes if one.is_astex and one.id in table.tried()]
    docked = table.docked()
    print(f"\n{label}: top pose within {RMSD_LIMIT_ANGSTROM:g} Å of the native one, no superposition")
    print(f"  all complexes tried       {table.share(table.tried())}   (a refused complex counts as missed)")
    print(f"  complexes docked          {table.share(docked)}   {table.seconds_cpu(docked):,.0f} CPU s")
    print(f"  Astex complexes tried     {table.share(astex)}")
    print(f"  PoseBusters-valid         {table.valid()} successes")
    for row in table.refused():
        print(f"  refused {row.complex}: {row.refused[:160]}")


def _print_published(data: Path, table: Table, complexes: Sequence[Complex]) -> None:
    published = read_published(data)
    for method in ("vina", "gold"):
        shared = [one.id for one in complexes if (method, one.id) in published and one.id in table.tried()]
        if not shared:
            continue
        theirs = float(np.mean([published[method, id_].rmsd_angstrom <= RMSD_LIMIT_ANGSTROM for id_ in shared]))
        print(f"  published {method:<5} {100 * theirs:5.1f} % of {len(shared)}; here, the same {table.share(shared)}")


def _print_paired(table: Table, baseline: Table) -> None:
    """Print the difference over complexes that both docked, with a 95 % bootstrap interval over complexes."""
    shared = [id_ for id_ in table.docked() if id_ in baseline.docked()]
    if not shared:
        return
    difference = np.array([table.success(id_) - baseline.success(id_) for id_ in shared])
    draws = np.random.default_rng(1).integers(0, len(shared), (RESAMPLES, len(shared)))
    low, high = np.percentile(difference[draws].mean(axis=1), [2.5, 97.5])
    ratio = baseline.seconds_cpu(shared) / max(table.seconds_cpu(shared), 1e-9)
    print(
        f"\nPaired over {len(shared)} complexes: {100 * difference.mean():+.1f} points against exhaustiveness "
        f"{BASELINE} (95 % bootstrap {100 * low:+.1f} to {100 * high:+.1f}), {ratio:.1f} times fewer CPU seconds"
    )


def main() -> None:
    """Run what is missing within the budget, then print the table."""
    data = data_folder()
    options = _options()
    build = next(found.build_id for found in installed_builds() if found.engine == "vina")
    complexes = [one for one in read_complexes(data) if not options.only or one.id in options.only][: options.complexes]
    efforts = list(dict.fromkeys([options.effort, BASELINE]))
    with engine_process() as process:
        bench = Bench(process, options.results, build, efforts, run_seeds(DockingProtocol().seed, options.seeds))
        until = time.monotonic() + 60 * options.budget_minutes
        for one in complexes:
            if time.monotonic() > until:
                print("The budget is used up; call again to go on.")
                break
            bench.run(one)
    _report(data, bench, complexes, options.effort, build)


def _report(data: Path, bench: Bench, complexes: Sequence[Complex], effort: str, build: str) -> None:
    tables = {
        each: Table([row for row in bench.rows.values() if (row.build, row.effort) == (build, each)], complexes)
        for each in (effort, BASELINE)
    }
    _print_table(tables[effort], complexes, f"{build}, effort {effort}")
    _print_published(data, tables[effort], complexes)
    if effort != BASELINE:
        _print_table(tables[BASELINE], complexes, f"{build}, effort {BASELINE}")
        _print_paired(tables[effort], tables[BASELINE])


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--effort", default="standard", help="preset, or the exhaustiveness of Vina's plain search")
    parser.add_argument("--seeds", type=int, default=1, help="runs per complex")
    parser.add_argument("--complexes", type=int, default=10, help="at most so many, Astex and cheap ones first")
    parser.add_argument("--only", nargs="*", default=[], metavar="ID", help="these complexes")
    parser.add_argument("--budget-minutes", type=float, default=30.0, help="begin no complex after so long")
    parser.add_argument("--results", type=Path, default=Path("bench-results/redock.jsonl"))
    return parser.parse_args()


if __name__ == "__main__":
    main()
