"""What a build of Vina for this processor saves, and that shared energy tables change no number.

Docks the same pairs of DOCKSTRING targets and drug-like ligands with the portable wheel and with two builds of
`mad engines build` for this processor: Vina as it is, and with shared tables (adapters/engines/vina_shared_tables.h).
Prints CPU seconds of the search, their ratio to the wheel, memory, and in how many searches the two builds agree to
the last digit in score and energy of the best pose. Needs MAD_BENCHMARK_DATA (benchmarks/data.md) and what `mad
engines build` needs; OUT keeps the builds.
"""

import argparse
from collections.abc import Sequence
from itertools import islice
from pathlib import Path

from benchmarks.docking_pairs import pairs_of
from benchmarks.docking_runs import Measured, OurEngine
from rdkit import RDLogger

from molecular_analysis_dashboard.adapters.engines.native_builds import Processor, native_builds
from molecular_analysis_dashboard.adapters.engines.vina import SCORING_FUNCTIONS
from molecular_analysis_dashboard.adapters.engines.vina_compiler import compile_vina
from molecular_analysis_dashboard.domain.docking import SearchEffort

_WHEEL, _PLAIN, _SHARED = "wheel", "for this processor", "and shared tables"


def main() -> None:
    """Build what is not built yet, dock, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("benchmark-builds"), help="Folder that keeps the builds.")
    parser.add_argument("--pairs", type=int, default=12, help="Pairs of target and ligand.")
    parser.add_argument("--runs", type=int, default=4, help="Full-length Monte-Carlo runs of each search.")
    options = parser.parse_args()
    RDLogger.logger().setLevel(RDLogger.CRITICAL)  # type: ignore[no-untyped-call]  # RDKit leaves it untyped
    effort = SearchEffort(options.runs)
    folders = {_WHEEL: "", _PLAIN: _built(options.out, shared=False), _SHARED: _built(options.out, shared=True)}
    engines = {name: OurEngine(name, effort, folder) for name, folder in folders.items()}
    found: dict[str, list[Measured]] = {name: [] for name in engines}
    for pair in islice(pairs_of("choose"), options.pairs):
        for name, engine in engines.items():
            found[name].append(engine.dock(pair, 1)[0])
    memory_mb = {name: engine.close() for name, engine in engines.items()}
    print("\n".join(_table(found, memory_mb)))


def _built(folder: Path, *, shared: bool) -> str:
    wanted = f"vina-*{'[0-9]' if shared else 'plain'}-{Processor.NATIVE}"
    ready = [build.folder for build in native_builds(folder) if not build.refusal and build.folder.match(wanted)]
    made = ready or [compile_vina(folder, Processor.NATIVE, SCORING_FUNCTIONS, shared_tables=shared).folder]
    return str(made[0].resolve())


def _table(found: dict[str, list[Measured]], memory_mb: dict[str, float]) -> list[str]:
    lines = [f"{'build':<22} {'searches':>8} {'CPU s':>8} {'ratio':>6} {'peak MB':>8}"]
    base_s = _cpu_s(found[_WHEEL])
    for name, rows in found.items():
        ratio = base_s / _cpu_s(rows)
        lines.append(f"{name:<22} {len(rows):>8} {_cpu_s(rows):>8.1f} {ratio:>6.2f} {memory_mb[name]:>8.0f}")
    equal = sum(_numbers(one) == _numbers(other) for one, other in zip(found[_PLAIN], found[_SHARED], strict=True))
    return [*lines, f"the two builds agree to the last digit in {equal} of {len(found[_SHARED])} searches"]


def _cpu_s(rows: Sequence[Measured]) -> float:
    return sum(row.cpu_s for row in rows)


def _numbers(row: Measured) -> tuple[float, float]:
    return row.score_kcal_mol, row.objective_kcal_mol


if __name__ == "__main__":
    main()
