"""What our search efforts cost and lose beside the `vina` command, on DOCKSTRING targets and drug-like ligands.

Docks each pair with the `vina` command at exhaustiveness 8 (one process per ligand, as a user would), every few pairs
also at 32, and with each of our efforts, alternately and in one run. Prints CPU seconds, their ratio, and how much of
the best energy is lost, also for ligands of ten and more torsions. Efforts are chosen on half of the targets
(`--half choose`) and reported on the others. Only the search is compared: both sides get the same PDBQT texts. With
`--easydock PROGRAM`, whole products are compared after that, on ligands of one target (`benchmarks/whole_products.py`).

Every measurement is appended to OUT at once, and a run that is started again goes on where it was. Needs
MAD_BENCHMARK_DATA (benchmarks/data.md). The command is `vina` on PATH or --vina. Where it is missing, or of another
version than the bindings and therefore of other scores, the bindings stand in for it with a fresh process per ligand.
"""

import argparse
import json
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, astuple
from itertools import islice
from pathlib import Path

from benchmarks.docking_pairs import HALVES, Pair, pairs_of, targets_of
from benchmarks.docking_runs import Command, FreshBindings, Measured, OurEngine
from benchmarks.docking_table import BASE, DEEP, table
from benchmarks.whole_products import EasyDock, Ours, Whole, whole_table
from rdkit import RDLogger

from molecular_analysis_dashboard.domain.docking import PRESETS, EffortPreset, SearchEffort


def main() -> None:
    """Measure what is not measured yet, within the time allowed, and print the table."""
    options = _options()
    RDLogger.logger().setLevel(RDLogger.CRITICAL)  # type: ignore[no-untyped-call]  # RDKit leaves it untyped
    options.out.mkdir(parents=True, exist_ok=True)
    results = Results(options.out / f"measured-{options.half}.jsonl")
    reference = _reference(options.vina)
    engines = [OurEngine(name, effort, path) for name, effort, path in _settings(options)]
    until = time.monotonic() + 60 * options.budget_minutes
    try:
        for number, pair in enumerate(islice(pairs_of(options.half), options.pairs)):
            if time.monotonic() > until:
                break
            is_deep = options.deep_every > 0 and number % options.deep_every == 0
            _measure(pair, reference, engines, options.seeds, results, is_deep=is_deep)
    finally:
        for engine in engines:
            engine.close()
    print("\n".join([_about(reference), *table(results.rows, results.maps_s)]))
    if options.easydock:
        print("\n".join(_whole_products(options)))


class Results:
    """Measurements in a file, one a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.rows: list[Measured] = []
        self.maps_s: dict[str, float] = {}
        for line in path.read_text().splitlines() if path.exists() else ():
            self._take(json.loads(line))

    def has(self, pair: Pair, setting: str, seed: int) -> bool:
        """Whether this was measured already."""
        return any((row.pair, row.setting, row.seed) == (pair.key, setting, seed) for row in self.rows)

    def add(self, measured: Measured, maps_s: float = 0.0) -> None:
        """Keep a measurement."""
        body = asdict(measured) | {"maps_s": maps_s}
        with self._path.open("a") as stream:
            stream.write(json.dumps(body) + "\n")
        self._take(body)

    def _take(self, body: dict[str, object]) -> None:
        name = str(body["setting"])
        self.maps_s[name] = self.maps_s.get(name, 0.0) + float(str(body.pop("maps_s")))
        self.rows.append(Measured(**body))  # type: ignore[arg-type]  # as `asdict` wrote it


def _measure(
    pair: Pair,
    reference: Command | FreshBindings,
    engines: Sequence[OurEngine],
    seeds: int,
    results: Results,
    *,
    is_deep: bool,
) -> None:
    for seed in range(1, seeds + 1):
        for engine in engines:
            if not results.has(pair, engine.name, seed):
                results.add(*engine.dock(pair, seed))
    if not results.has(pair, BASE, 1):
        results.add(reference.dock(pair, 8, 1))
    if is_deep and not results.has(pair, DEEP, 1):
        results.add(reference.dock(pair, 32, 1))


def _whole_products(options: argparse.Namespace) -> Iterator[str]:
    """Measure what is not measured yet, and yield the lines of the table."""
    path = options.out / f"whole-{options.half}.jsonl"
    bodies = [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []
    rows = [Whole(**body | {"ligands": tuple(body["ligands"])}) for body in bodies]
    target, pairs = targets_of(options.half)[0], list(islice(pairs_of(options.half), options.easydock_ligands))
    easydock = EasyDock(options.easydock)
    products: list[EasyDock | Ours] = [easydock]
    products += [Ours(name, PRESETS[EffortPreset(name)]) for name in options.efforts]
    wanted = tuple(pair.ligand for pair in pairs)
    for product in products:
        if not any((row.product, row.target, row.ligands) == (product.name, target, wanted) for row in rows):
            rows.append(product.dock(target, pairs, 1))
            with path.open("a") as stream:
                stream.write(json.dumps(asdict(rows[-1])) + "\n")
    yield f"easydock is version {easydock.version} with Vina {easydock.vina_version}, at exhaustiveness 8, one process."
    yield from whole_table(rows, easydock.name)


def _reference(program: str | None) -> Command | FreshBindings:
    found = program or shutil.which("vina")
    if found is None:
        return FreshBindings()
    command = Command(found)
    return command if command.comparable else FreshBindings()


def _about(reference: Command | FreshBindings) -> str:
    if isinstance(reference, Command):
        return f"vina is the command, version {reference.version}, one process per ligand."
    return f"vina stands for the bindings, version {reference.version}, in a fresh process per ligand: no such command."


def _settings(options: argparse.Namespace) -> Iterator[tuple[str, SearchEffort, str]]:
    efforts = {name: PRESETS[EffortPreset(name)] for name in options.efforts}
    efforts |= {text: SearchEffort(*_numbers(text)) for text in options.custom}
    for given, effort in efforts.items():
        # Measurements outlive presets.
        name = f"{given} {':'.join(f'{number:g}' for number in astuple(effort))}" if given in PRESETS else given
        if not options.native_only:
            yield name, effort, ""
        if options.native:
            yield f"{name} native", effort, options.native


def _numbers(text: str) -> tuple[int, float, int, int]:
    runs, length, rounds, agreeing = text.split(":")
    return int(runs), float(length), int(rounds), int(agreeing)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--out", type=Path, default=Path("benchmark-dock"), help="Folder that keeps the measurements.")
    parser.add_argument("--half", choices=HALVES, default=HALVES[1], help="Which half of the targets.")
    parser.add_argument("--pairs", type=int, default=100, help="Pairs of target and ligand.")
    parser.add_argument("--seeds", type=int, default=3, help="Seeds of each of our efforts; the command has one.")
    parser.add_argument("--deep-every", type=int, default=4, help="Every so many pairs at exhaustiveness 32; 0: none.")
    parser.add_argument("--budget-minutes", type=float, default=600.0, help="Begin no pair after so long.")
    parser.add_argument("--efforts", nargs="*", default=["quick", "standard"], help="Presets to measure.")
    parser.add_argument("--custom", nargs="*", default=[], help="Efforts RUNS:LENGTH:ROUNDS:AGREEING to measure.")
    parser.add_argument("--vina", help="The vina command, if not on PATH.")
    parser.add_argument("--easydock", help="The easydock command of its own environment: measured as a whole product.")
    parser.add_argument("--easydock-ligands", type=int, default=10, help="So many ligands, of one target.")
    parser.add_argument("--native", default="", help="Folder of a native build of the bindings: measured as well.")
    parser.add_argument("--native-only", action="store_true", help="Leave out the portable build.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
