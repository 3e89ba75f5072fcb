"""Vina's command line over Vina's Python bindings: a real program of the family wherever the wheel is installed."""

import argparse
import sys
from pathlib import Path
from typing import NoReturn

from vina import Vina

# As the program itself writes it (1.2.3, shortened).
HELP = """AutoDock Vina v1.2.3

Input:
  --receptor arg             rigid part of the receptor (PDBQT)
  --ligand arg               ligand (PDBQT)
  --scoring arg (=vina)      scoring function (ad4, vina or vinardo)
  --maps arg                 affinity maps for the autodock4.2 (ad4) or vina
                             scoring function

Search space (required):
  --center_x arg             X coordinate of the center (Angstrom)
  --center_y arg             Y coordinate of the center (Angstrom)
  --center_z arg             Z coordinate of the center (Angstrom)
  --size_x arg               size in the X dimension (Angstrom)
  --size_y arg               size in the Y dimension (Angstrom)
  --size_z arg               size in the Z dimension (Angstrom)

Output (optional):
  --out arg                  output models (PDBQT), the default is chosen based
                             on the ligand file name

Advanced options (see the manual):
  --score_only               score only - search space can be omitted
  --local_only               do local search only

Misc (optional):
  --cpu arg (=0)             the number of CPUs to use
  --seed arg (=0)            explicit random seed
  --exhaustiveness arg (=8)  exhaustiveness of the global search (roughly
                             proportional to time): 1+
  --max_evals arg (=0)       number of evaluations in each MC run
  --num_modes arg (=9)       maximum number of binding modes to generate
  --min_rmsd arg (=1)        minimum RMSD between output poses
  --energy_range arg (=3)    maximum energy difference between the best binding
                             mode and the worst one displayed (kcal/mol)

Information (optional):
  --help                     display usage summary
  --help_advanced            display usage summary with advanced options
  --version                  display program version
"""


class Parser(argparse.ArgumentParser):
    """Complains as Vina does."""

    def error(self, message: str) -> NoReturn:
        sys.exit(f"Command line parse error: {message}\n\nCorrect usage:\n{HELP}")


def main() -> None:
    if {"--help", "--help_advanced"} & set(sys.argv):
        sys.stdout.write(HELP)
        return
    if "--version" in sys.argv:
        sys.stdout.write("AutoDock Vina v1.2.3\n")
        return
    parser = Parser(add_help=False, allow_abbrev=False)
    for name in ("receptor", "maps", "ligand", "out"):
        parser.add_argument(f"--{name}", type=Path)
    for name in ("center_x", "center_y", "center_z", "size_x", "size_y", "size_z"):
        parser.add_argument(f"--{name}", type=float)
    for name, number in (("cpu", 0), ("seed", 0), ("exhaustiveness", 8), ("max_evals", 0), ("num_modes", 9)):
        parser.add_argument(f"--{name}", type=int, default=number)
    parser.add_argument("--min_rmsd", type=float, default=1.0)
    parser.add_argument("--energy_range", type=float, default=3.0)
    parser.add_argument("--scoring", default="vina")
    parser.add_argument("--score_only", action="store_true")
    parser.add_argument("--local_only", action="store_true")
    try:
        run(parser.parse_args())
    except (RuntimeError, TypeError) as error:
        sys.exit(str(error))


def run(options: argparse.Namespace) -> None:
    vina = Vina(sf_name=options.scoring, cpu=options.cpu, seed=options.seed, verbosity=0)
    if options.maps:
        vina.load_maps(str(options.maps))
        vina.set_ligand_from_file(str(options.ligand))
    else:
        vina.set_receptor(str(options.receptor))
        vina.set_ligand_from_file(str(options.ligand))
        axes = "xyz"
        center, size = ([getattr(options, f"{what}_{axis}") for axis in axes] for what in ("center", "size"))
        vina.compute_vina_maps(center, size)
    if options.score_only:
        sys.stdout.write(f"Estimated Free Energy of Binding   : {vina.score()[0]:.3f} (kcal/mol)\n")
        return
    if options.local_only:
        energies = vina.optimize()
        vina.write_pose(str(options.out))
        sys.stdout.write(f"Estimated Free Energy of Binding   : {energies[0]:.3f} (kcal/mol)\n")
        return
    vina.dock(options.exhaustiveness, options.num_modes, options.min_rmsd, options.max_evals)
    vina.write_poses(str(options.out), options.num_modes, options.energy_range, overwrite=True)


if __name__ == "__main__":
    main()
