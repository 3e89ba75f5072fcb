"""Whether the scores that others published come back.

DOCKSTRING's published triples of target, molecule and score (García-Ortegón 2022, doi:10.1021/acs.jcim.1c01334), which
were made with another Vina, other seeds and other preparation: the mean absolute difference counts, at most 0.5
kcal/mol. And the Vina authors' own example, imatinib in c-Abl (PDB 1IEP) with their receptor: -13.2 kcal/mol. Reads
`MAD_BENCHMARK_DATA/score_reproduction` and `dockstring_targets`.
"""

import argparse
import csv
import sys
from pathlib import Path

import numpy as np
from benchmarks.data import data_folder
from benchmarks.docking import dock_smiles, effort_named, engine_process, site_of
from benchmarks.enrichment_sets import read_target

from molecular_analysis_dashboard.adapters.chemistry.native_ligand import read_ligand_file
from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import DockedLigand, DockingProtocol
from molecular_analysis_dashboard.domain.ligands import LigandOptions
from molecular_analysis_dashboard.domain.redocking import Redocked
from molecular_analysis_dashboard.domain.sites import SearchBox

TARGET_KCAL_MOL = 0.5
IEP_SCORE_KCAL_MOL, IEP_LIMIT_KCAL_MOL = -13.2, 0.3
# The box of the example, out of `1iep_receptor.box.txt`.
IEP_BOX = SearchBox((15.190, 53.903, 16.917), (20.0, 20.0, 20.0))


def main() -> None:
    """Dock each of them and print the differences."""
    data = data_folder()
    options = _options()
    with engine_process() as process:
        _published_triples(process, data, options)
        if options.example:
            _published_example(process, data, options.example_exhaustiveness)


def _published_triples(process: EngineProcess, data: Path, options: argparse.Namespace) -> None:
    protocol = DockingProtocol(effort=effort_named(options.effort))
    with (data / "score_reproduction" / "dockstring_random_tuples.csv").open(newline="") as stream:
        rows = list(csv.DictReader(stream))[: options.pairs]
    differences = []
    for row in rows:
        receptor, box = read_target(data, row["target"])
        found = dock_smiles(process, site_of(receptor, box, protocol), row["smiles"])
        published = float(row["score"])
        if not isinstance(found, DockedLigand):
            print(f"{row['target']:<8} {row['smiles']}: {found}")
            continue
        differences.append(found.score_kcal_mol - published)
        print(f"{row['target']:<8} here {found.score_kcal_mol:7.2f}, published {published:7.2f}  {row['smiles']}")
    if differences:
        mean = float(np.mean(np.abs(differences)))
        print(
            f"{len(differences)} of {len(rows)} docked at effort {options.effort}: mean absolute "
            f"difference {mean:.2f} kcal/mol (target {TARGET_KCAL_MOL}), mean {float(np.mean(differences)):+.2f}"
        )


def _published_example(process: EngineProcess, data: Path, exhaustiveness: int) -> None:
    folder = data / "score_reproduction" / "vina_examples" / "basic_1iep"
    native = read_ligand_file((folder / "1iep_ligand.sdf").read_bytes(), "1iep_ligand.sdf")
    protocol = DockingProtocol(effort=effort_named(str(exhaustiveness)), ligands=LigandOptions(protonate=False))
    site = site_of((folder / "1iep_receptor.pdbqt").read_text(), IEP_BOX, protocol)
    process.open_site(site)
    found = process.redock(site, str(native.mol_block))
    if not isinstance(found, Redocked):
        sys.exit(f"1iep: {found.message}")
    print(
        f"1iep at exhaustiveness {exhaustiveness}: {found.docked.score_kcal_mol:.2f} kcal/mol, published "
        f"{IEP_SCORE_KCAL_MOL} (within {IEP_LIMIT_KCAL_MOL}); RMSD to the crystal {found.rmsds_angstrom[0]:.2f} Å"
    )


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--effort", default="8", help="preset, or an exhaustiveness; the published ones are of 8")
    parser.add_argument("--pairs", type=int, default=12, help="at most so many triples")
    parser.add_argument("--no-example", dest="example", action="store_false", help="leave out 1iep")
    parser.add_argument("--example-exhaustiveness", type=int, default=32)
    return parser.parse_args()


if __name__ == "__main__":
    main()
