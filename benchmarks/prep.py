"""What becomes of receptors: prepared, refused with a reason, or crashed.

Prepares every file of `MAD_BENCHMARK_DATA/receptor_torture` and every receptor of `MAD_BENCHMARK_DATA/redocking`, each
with default options in a process of its own with a time and a memory limit, forked when libraries and templates are
loaded; at a redocking receptor the site is where its native ligand is. Prints a line for each, then totals. A prepared
receptor is judged too: RDKit must read and sanitize it with all hydrogens, its charge must be a whole number, and no
added hydrogen may sit in another residue.

Ends with status 1 when a process crashed, ran out of time or memory, or left a receptor that fails these checks.
"""

import argparse
import math
import multiprocessing
import os
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Iterator
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import gemmi
from rdkit import Chem, RDLogger

from molecular_analysis_dashboard.adapters.chemistry.ccd import component
from molecular_analysis_dashboard.adapters.chemistry.native_ligand import read_ligand_file
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines
from molecular_analysis_dashboard.adapters.chemistry.receptor_preparation import prepare_receptor
from molecular_analysis_dashboard.adapters.chemistry.residue_templates import residue_templates
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.receptors import PreparedReceptor, ReceptorOptions

CPU_LIMIT_S = 900
# A busy machine takes longer than the processor does.
TIME_LIMIT_S = 4 * CPU_LIMIT_S
MEMORY_LIMIT_BYTES = 4 << 30
NO_STRUCTURES = (".md", ".csv")
SETS = ("receptor_torture", "redocking")
# No hydrogen bond is this short.
TOUCHING_ANGSTROM = 1.2


def main() -> int:
    """Run over the files and print what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--set", choices=SETS, action="append", help="only this set")
    parser.add_argument("--only", help="only files whose name holds this text")
    parser.add_argument("--smallest-first", action="store_true", help="by size of the file instead of by name")
    arguments = parser.parse_args()
    if "MAD_BENCHMARK_DATA" not in os.environ:
        sys.exit("Set MAD_BENCHMARK_DATA to the folder with the benchmark data.")
    folder = Path(os.environ["MAD_BENCHMARK_DATA"])
    component("ALA")
    residue_templates()
    is_bad = False
    for name in arguments.set or SETS:
        files = [paths for paths in _files(folder / name) if (arguments.only or "") in paths[0].name]
        if arguments.smallest_first:
            files.sort(key=lambda paths: paths[0].stat().st_size)
        is_bad |= _report(name, files)
    return int(is_bad)


def _files(folder: Path) -> Iterator[tuple[Path, ...]]:
    """Yield structures, each with its native ligand where there is one."""
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield path / f"{path.name}_protein.pdb.gz", path / f"{path.name}_ligand.sdf"
        elif path.suffix not in NO_STRUCTURES:
            yield (path,)


def _report(name: str, files: list[tuple[Path, ...]]) -> bool:
    print(
        f"\n{name}: {len(files)} files\n{'file':28}{'outcome':10}{'CPU s':>7}  residues, notes, checks, or the reason"
    )
    outcomes: Counter[str] = Counter()
    reasons: Counter[str] = Counter()
    cpu_s = 0.0
    failed_checks = 0
    for paths in files:
        found = _run(paths)
        outcomes[found["outcome"]] += 1
        cpu_s += found["cpu_s"]
        if found["outcome"] != "prepared":
            reasons[found["code"]] += 1
        failed_checks += len(found.get("failed_checks", ()))
        print(f"{paths[0].name:28}{found['outcome']:10}{found['cpu_s']:7.1f}  {found['text']}", flush=True)
    print(f"{name}: " + ", ".join(f"{count} {outcome}" for outcome, count in sorted(outcomes.items())), end="")
    print(f"; {failed_checks} failed checks; {cpu_s:.0f} CPU s; reasons: {dict(reasons) or 'none'}")
    return bool(outcomes["crashed"] or failed_checks)


def _run(paths: tuple[Path, ...]) -> dict[str, Any]:
    """Prepare in a process of its own; one that ends without an answer has crashed."""
    forking = multiprocessing.get_context("fork")
    receiving, sending = forking.Pipe(duplex=False)
    process = forking.Process(target=_answer, args=(sending, paths))
    process.start()
    sending.close()
    try:
        if not receiving.poll(TIME_LIMIT_S):
            process.kill()
            return _crashed("timeout", f"no answer within {TIME_LIMIT_S} s", float(TIME_LIMIT_S))
        answer: dict[str, Any] = receiving.recv()
    except EOFError:
        process.join()
        return _crashed(f"exit_{process.exitcode}", "the process ended without an answer", 0.0)
    process.join()
    return answer


def _answer(sending: Connection, paths: tuple[Path, ...]) -> None:
    sending.send(_outcome(*paths))


def _crashed(code: str, text: str, cpu_s: float) -> dict[str, Any]:
    return {"outcome": "crashed", "code": code, "text": f"[{code}] {text}", "cpu_s": cpu_s}


def _outcome(structure: Path, ligand: Path | None = None) -> dict[str, Any]:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_LIMIT_BYTES, MEMORY_LIMIT_BYTES))
    resource.setrlimit(resource.RLIMIT_CPU, (CPU_LIMIT_S, CPU_LIMIT_S))
    options = ReceptorOptions() if ligand is None else _options(ligand)
    started = time.process_time()
    try:
        prepared = prepare_receptor(structure.read_bytes(), structure.name, options)
    except MadError as refusal:
        spent = time.process_time() - started
        text = f"[{refusal.error_code}] {refusal.message}"
        return {"outcome": "refused", "code": refusal.error_code, "text": text, "cpu_s": spent}
    except Exception:
        return _crashed("exception", traceback.format_exc()[-600:], time.process_time() - started)
    spent = time.process_time() - started
    notes = Counter(note.action for note in prepared.report.notes)
    failed = list(_failed_checks(prepared))
    counts = ", ".join(f"{action} {count}" for action, count in sorted(notes.items()))
    text = f"{prepared.report.n_residues}; {counts or 'no notes'}; {'; '.join(failed) or 'sound'}"
    return {"outcome": "prepared", "text": text, "cpu_s": spent, "failed_checks": failed}


def _options(ligand: Path) -> ReceptorOptions:
    """The site as `mad dock --site-from` describes it: the ligand's centre, and its reach around that."""
    places = read_ligand_file(ligand.read_bytes(), ligand.name).coordinates
    center = [sum(axis) / len(places) for axis in zip(*places, strict=True)]
    reach = max(math.dist(center, place) for place in places)
    return ReceptorOptions(site_center=(center[0], center[1], center[2]), site_radius_angstrom=reach)


def _failed_checks(prepared: PreparedReceptor) -> Iterator[str]:
    RDLogger.DisableLog("rdApp.*")  # type: ignore[attr-defined]  # missing in its stubs
    if Chem.MolFromPDBBlock(prepared.pdb, removeHs=False, sanitize=True) is None:
        yield "RDKit cannot sanitize it"
    charge = sum(float(line[66:76]) for line in atom_lines(prepared.pdbqt))
    if abs(charge - round(charge)) > 0.05 + 0.0005 * prepared.report.n_atoms:
        yield f"its charge is {charge:.2f}"
    if touching := list(_touching_hydrogens(prepared.pdb)):
        yield f"{len(touching)} hydrogens sit in another residue, such as {touching[0]}"


def _touching_hydrogens(pdb: str) -> Iterator[str]:
    """Yield each hydrogen that is nearer to a heavy atom of another residue than any hydrogen bond."""
    model = gemmi.read_pdb_string(pdb)[0]
    search = gemmi.NeighborSearch(model, gemmi.UnitCell(), 3.0).populate(include_h=False)
    for chain in model:
        for residue in chain:
            for atom in residue:
                if not atom.is_hydrogen():
                    continue
                for mark in search.find_atoms(atom.pos, "\0", radius=TOUCHING_ANGSTROM):
                    other = mark.to_cra(model)
                    if other.residue != residue:
                        yield f"{chain.name}:{residue.name} {residue.seqid} {atom.name} at {other}"


if __name__ == "__main__":
    sys.exit(main())
