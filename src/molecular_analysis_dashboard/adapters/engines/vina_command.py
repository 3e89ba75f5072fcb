"""Any program of the Vina family behind the engine port: one run of its command line per ligand state."""

import math
import re
import tempfile
from collections.abc import Iterator, Mapping
from functools import cached_property
from pathlib import Path

import structlog

from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import atom_lines, index_map, placed_at, position
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pack_coordinates
from molecular_analysis_dashboard.adapters.engines.ad4_parameters import check_ad4_receptor
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, MapFolder
from molecular_analysis_dashboard.adapters.engines.program_run import Ended, follow, run_program
from molecular_analysis_dashboard.adapters.engines.starts import search_from_starts
from molecular_analysis_dashboard.adapters.engines.vina_command_line import VinaCommandLine, read_command_line
from molecular_analysis_dashboard.adapters.engines.vina_family import (
    SEARCH_POSES,
    atoms_only,
    check_receptor,
    check_scoring,
    check_seed,
    models_in,
    ranked_poses,
    refuse_outside,
    refuse_unfit,
    refuse_unknown_types,
    with_objectives,
)
from molecular_analysis_dashboard.adapters.engines.vina_search import max_evaluations
from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.engine_commands import AD4
from molecular_analysis_dashboard.domain.engine_parameters import first_unsupported
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox

log = structlog.get_logger(__name__)

_NUMBER = r"[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?"
# Vina, QuickVina and Uni-Dock write the first, smina and gnina the second.
_POSE_SCORE = re.compile(rf"^REMARK (?:VINA RESULT:|minimizedAffinity)\s+({_NUMBER})", re.MULTILINE)
# Vina 1.2 and Uni-Dock print the first, all others the second.
_SCORE_IN_PLACE = re.compile(rf"^(?:Estimated Free Energy of Binding\s*:|Affinity:)\s*({_NUMBER})", re.MULTILINE)
_BAD_INPUT = ("parse error", "parsing error", "Parse error", "atom type")
# A ligand that every program accepts, to try a receptor, a box and the options with.
_CARBON = "ROOT\nATOM      1  C   UNL     1    {:8.3f}{:8.3f}{:8.3f}  1.00  0.00     0.000 C \nENDROOT\nTORSDOF 0\n"


class VinaCommandEngine:
    """One program of the family, named in MAD_ENGINE_COMMANDS.

    Parameters
    ----------
    autogrid : AutoGrid, optional
        What computes the maps of `ad4`, for a program that reads them.
    """

    def __init__(self, name: str, command: tuple[str, ...], autogrid: AutoGrid | None = None) -> None:
        self._line = read_command_line(name, command)
        self._autogrid = autogrid if self._line.reads_ad4_maps else None

    @property
    def build(self) -> EngineBuild:
        """What is installed here."""
        return self._line.build

    @property
    def further_builds(self) -> tuple[EngineBuild, ...]:
        """The build that scores with AutoGrid's maps, where there is AutoGrid and the program reads them."""
        return () if self._autogrid is None else (self._autogrid.build_of(self.build),)

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        """JSON schema of the protocol's fields that the program reads."""
        return self._line.parameter_schema

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> "VinaCommandSite":
        """Try the receptor, the box and the options with one carbon atom.

        Raises
        ------
        EngineFailed
            If the program cannot use them; with its own words.
        """
        self._check_protocol(protocol)
        check_receptor(receptor_pdbqt, box)
        maps = None
        if protocol.scoring == AD4 and self._autogrid is not None:
            check_ad4_receptor(receptor_pdbqt)
            maps = MapFolder(self._autogrid, receptor_pdbqt, box)
        kind = RelaxingVinaCommandSite if self._line.minimise_option else VinaCommandSite
        site = kind(self._line, atoms_only(receptor_pdbqt), box, protocol, maps)
        site.try_out()
        return site

    def _check_protocol(self, protocol: DockingProtocol) -> None:
        check_scoring(self._line.name, protocol.scoring, (self.build, *self.further_builds))
        if problem := first_unsupported(self.parameter_schema, protocol):
            raise EngineFailed(problem.message, code="parameter_unsupported", field=problem.field)
        check_seed(protocol.seed)


class VinaCommandSite:
    """A receptor and a box for one program, which computes its maps anew for every ligand unless it is given them."""

    def __init__(
        self,
        line: VinaCommandLine,
        receptor_pdbqt: str,
        box: SearchBox,
        protocol: DockingProtocol,
        maps: MapFolder | None = None,
    ) -> None:
        self._line = line
        self._maps = maps
        self._receptor_pdbqt = receptor_pdbqt
        self._box = box
        self._protocol = protocol

    def try_out(self) -> None:
        """Run the program once without a search, if it offers that."""
        if "score_only" in self._line.options:
            ended, _ = self._run(_CARBON.format(*self._box.center), ["--score_only"])
            if ended.status != 0:
                raise EngineFailed(
                    f"This receptor, box or option is refused: {self._told(ended)}", code="receptor_refused"
                )

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        """Dock one state; see `ports.engine.DockingSite.dock`."""
        refuse_unknown_types(state.pdbqt, self._protocol.scoring)
        refuse_unfit(state, self._box)

        def search(start: str, runs: int, start_seed: int) -> tuple[Pose, ...]:
            return self._search(state, start, runs, start_seed)

        return search_from_starts(state, self._protocol, seed, search)

    def _search(self, state: LigandState, start: str, runs: int, seed: int) -> tuple[Pose, ...]:
        ended, text = self._run(start, self._search_options(state, runs, seed))
        self._refuse_failure(ended)
        scored = list(self._scored_models(text, start, ended))
        best = min(score for score, _ in scored)
        within = [one for one in scored if one[0] <= best + self._protocol.energy_range_kcal_mol]
        models = with_objectives(within, self._protocol.scoring)
        poses = ranked_poses(models, mol_from_block(state.mol_block), index_map(start), self._box)
        return poses[: self._protocol.n_poses]

    def score(self, state: LigandState) -> float:
        """Return the score (kcal/mol) of the state where its mol block places it."""
        if "score_only" not in self._line.options:
            raise EngineFailed(f"{self._line.name} cannot score in place.", code="scoring_in_place_unsupported")
        ended, _ = self._run(self._in_place(state), ["--score_only"])
        self._refuse_failure(ended)
        return self._printed_score(ended)

    def _in_place(self, state: LigandState) -> str:
        """Return the ligand's PDBQT where its mol block places it."""
        mol = mol_from_block(state.mol_block)
        refuse_outside(mol, self._box)
        refuse_unknown_types(state.pdbqt, self._protocol.scoring)
        return placed_at(state.pdbqt, mol.GetConformer().GetPositions())

    def _printed_score(self, ended: Ended) -> float:
        found = _SCORE_IN_PLACE.search(ended.words)
        if found is None:
            raise LigandRejected(RejectionReason.NO_POSE, f"{self._line.name} printed no score. {self._told(ended)}")
        return float(found[1])

    def _search_options(self, state: LigandState, runs: int, seed: int) -> list[str]:
        protocol = self._protocol
        options = {
            "seed": seed,
            "exhaustiveness": runs,
            "num_modes": max(protocol.n_poses, SEARCH_POSES),
        }
        asked: dict[str | None, float] = {
            "energy_range": protocol.energy_range_kcal_mol,
            self._line.min_rmsd_option: protocol.min_rmsd_angstrom,
        }
        if evaluations := max_evaluations(state, protocol.effort.run_length):
            options["max_evals"] = evaluations
        offered = {name: value for name, value in asked.items() if name in self._line.options}
        return [text for name, value in {**options, **offered}.items() for text in (f"--{name}", str(value))]

    def _run(self, ligand_pdbqt: str, options: list[str]) -> tuple[Ended, str]:
        """Run the program on one ligand; return how it ended and what it wrote, empty when it wrote nothing."""
        with tempfile.TemporaryDirectory(prefix="mad-engine-") as name:
            folder = Path(name)
            if self._maps is None:
                (folder / "receptor.pdbqt").write_text(self._receptor_pdbqt)
            (folder / "ligand.pdbqt").write_text(ligand_pdbqt)
            ended = run_program([*self._line.command, *self._fixed_options, *options], folder)
            if ended.is_out_of_memory:
                raise MemoryError(ended.words[-300:])
            if ended.status < 0 and not ended.flooded:
                follow(ended)
            poses = folder / "poses.pdbqt"
            return ended, poses.read_text(errors="replace") if poses.is_file() else ""

    @cached_property
    def _fixed_options(self) -> list[str]:
        axes = zip("xyz", self._box.center, self._box.size, strict=True)
        box = [text for axis, at, size in axes for text in (f"--center_{axis}", f"{at}", f"--size_{axis}", f"{size}")]
        site = ["--receptor", "receptor.pdbqt", *box] if self._maps is None else ["--maps", self._maps.prefix]
        files = ["--ligand", "ligand.pdbqt", "--out", "poses.pdbqt"]
        # Vina itself is the default everywhere, and smina's older releases know it by no name.
        scoring = [] if self._protocol.scoring == "vina" else ["--scoring", self._protocol.scoring]
        calm = ["--verbosity", "0"] if "verbosity" in self._line.options else []
        return [*site, *files, "--cpu", "1", *scoring, *calm]

    def _refuse_failure(self, ended: Ended) -> None:
        if ended.status == 0:
            return
        log.warning("program.failed", engine=self._line.name, status=ended.status, words=ended.words[-2000:])
        is_input = not ended.flooded and any(sign in ended.words for sign in _BAD_INPUT)
        reason = RejectionReason.PREPARATION_FAILED if is_input else RejectionReason.NO_POSE
        raise LigandRejected(reason, self._told(ended))

    def _scored_models(self, text: str, ligand_pdbqt: str, ended: Ended) -> Iterator[tuple[float, str]]:
        """Yield score and text of each model, all of them whole and of the ligand's own atoms in their order."""
        models = models_in(text)
        if not models:
            raise LigandRejected(RejectionReason.NO_POSE, f"{self._line.name} wrote no pose. {self._told(ended)}")
        expected = [line[12:16] for line in atom_lines(ligand_pdbqt)]
        for model in models:
            found = _POSE_SCORE.search(model)
            score = float(found[1]) if found else math.nan
            if not math.isfinite(score) or not _holds(model, expected):
                raise LigandRejected(
                    RejectionReason.NO_POSE, f"{self._line.name} wrote a pose that cannot be read. {self._told(ended)}"
                )
            yield score, model

    def _told(self, ended: Ended) -> str:
        return ended.told(self._line.name)


class RelaxingVinaCommandSite(VinaCommandSite):
    """The same for a program that can also search locally only."""

    def relax(self, state: LigandState) -> Pose:
        """Optimize locally; see `ports.engine.RelaxingSite.relax`."""
        start = self._in_place(state)
        ended, text = self._run(start, [f"--{self._line.minimise_option}"])
        self._refuse_failure(ended)
        if not _holds(text, [line[12:16] for line in atom_lines(start)]):
            raise LigandRejected(
                RejectionReason.NO_POSE, f"{self._line.name} wrote no pose that can be read. {self._told(ended)}"
            )
        points = [position(line) for line in atom_lines(text)]
        placed = {atom: points[serial - 1] for serial, atom in index_map(start).items()}
        coordinates = pack_coordinates(complete_pose(mol_from_block(state.mol_block), placed))
        return Pose(1, self._printed_score(ended), coordinates)


def _holds(model: str, names: list[str]) -> bool:
    """Whether a model holds atoms of these names in this order, each at a finite place."""
    lines = list(atom_lines(model))
    try:
        places = [float(line[begin : begin + 8]) for line in lines for begin in (30, 38, 46)]
    except ValueError:
        return False
    return [line[12:16] for line in lines] == names and all(map(math.isfinite, places))
