"""AutoDock Vina behind the engine port, through its Python bindings."""

import math
import os
import random
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Self

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from vina import Vina

from molecular_analysis_dashboard.adapters.chemistry.flexible_residues import FlexibleReceptor, split_off
from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import (
    atom_lines,
    index_map,
    placed_at,
    position,
    with_positions,
)
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pack_coordinates
from molecular_analysis_dashboard.adapters.engines.ad4_parameters import check_ad4_receptor
from molecular_analysis_dashboard.adapters.engines.autogrid import AutoGrid, write_maps
from molecular_analysis_dashboard.adapters.engines.native_builds import build_of_module
from molecular_analysis_dashboard.adapters.engines.starts import search_from_starts
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
)
from molecular_analysis_dashboard.adapters.engines.vina_search import max_evaluations, objectives, score_in_place
from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.engine_commands import AD4
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.hashing import MAX_SEED, bytes_hash, derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox

Matrix = NDArray[np.float64]
SCORING_FUNCTIONS = ("vina", "vinardo")
_VOXEL_ANGSTROM = 0.375
_STANDARD_STREAMS = (1, 2)


class VinaEngine:
    """Vina's bindings, one thread, no output: those of the PyPI wheel, or a build that stands before it on the path.

    Parameters
    ----------
    autogrid : AutoGrid, optional
        What computes the maps of `ad4`; without it that scoring function is not offered.
    """

    def __init__(self, autogrid: AutoGrid | None = None) -> None:
        self._autogrid = autogrid

    def with_autogrid(self, autogrid: AutoGrid) -> Self:
        """Return the engine that offers `ad4` too."""
        return type(self)(autogrid)

    @property
    def build(self) -> EngineBuild:
        """What is installed here."""
        return _build()

    @property
    def further_builds(self) -> tuple[EngineBuild, ...]:
        """The build that scores with AutoGrid's maps, where there is AutoGrid."""
        return () if self._autogrid is None else (self._autogrid.build_of(self.build),)

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        """JSON schema of the protocol's fields that Vina reads."""
        return {
            "type": "object",
            "properties": {
                "scoring": {"type": "string", "enum": list(SCORING_FUNCTIONS), "default": "vina"},
                "exhaustiveness": {"type": "integer", "minimum": 1, "maximum": 1024, "default": 8},
                "run_length": {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1},
                "max_rounds": {"type": "integer", "minimum": 1, "maximum": 64, "default": 1},
                "agreeing_rounds": {"type": "integer", "minimum": 0, "maximum": 64, "default": 0},
                "n_poses": {"type": "integer", "minimum": 1, "maximum": 100, "default": 3},
                "min_rmsd_angstrom": {"type": "number", "exclusiveMinimum": 0, "default": 1.0},
                "energy_range_kcal_mol": {"type": "number", "exclusiveMinimum": 0, "default": 3.0},
                "seed": {"type": "integer", "minimum": 1, "maximum": MAX_SEED, "default": 42},
                "flexible_residues": {"type": "array", "items": {"type": "string"}, "default": []},
            },
        }

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> "VinaSite":
        """Compute the maps of all atom types over the box.

        Raises
        ------
        EngineFailed
            If Vina cannot use the protocol, the receptor or the box.
        """
        check_scoring("Vina", protocol.scoring, (self.build, *self.further_builds))
        check_seed(protocol.seed)
        check_receptor(receptor_pdbqt, box)
        if protocol.scoring == AD4:
            check_ad4_receptor(receptor_pdbqt)
        flexible = _flexible(receptor_pdbqt, box, protocol)
        seed = derive_seed(protocol.seed, bytes_hash(receptor_pdbqt.encode()), box.center, box.size)
        vina = Vina(sf_name=protocol.scoring, cpu=1, seed=seed, verbosity=0)
        try:
            self._make_maps(vina, receptor_pdbqt, flexible, box, protocol.scoring)
        except (RuntimeError, TypeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise EngineFailed(
                f"Vina refuses the receptor: {_reason(cause)} Prepare it again.", code="receptor_refused"
            ) from cause
        return VinaSite(vina, box, protocol, flexible)

    def _make_maps(
        self, vina: Vina, receptor_pdbqt: str, flexible: FlexibleReceptor | None, box: SearchBox, scoring: str
    ) -> None:
        rigid = flexible.rigid_pdbqt if flexible else atoms_only(receptor_pdbqt)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            if scoring == AD4 and self._autogrid is not None:
                prefix = write_maps(self._autogrid, rigid, box, folder)
                with _silence():
                    vina.load_maps(prefix)
                return
            side_chains = _written(folder / "side_chains.pdbqt", flexible.flexible_pdbqt) if flexible else None
            vina.set_receptor(_written(folder / "receptor.pdbqt", rigid), side_chains)
        with _silence():
            vina.compute_vina_maps(list(box.center), list(box.size), spacing=_VOXEL_ANGSTROM)


class VinaSite:
    """One receptor's maps, kept warm; see `ports.engine.DockingSite`.

    Vina takes its seed when the object is made and starts each search from it, so the receptor, the box and the
    protocol's seed fix the sequence of random numbers. What differs between ligand states of equal shape, and
    between the caller's seeds, is the orientation in which the start conformer is handed over.
    """

    def __init__(
        self, vina: Vina, box: SearchBox, protocol: DockingProtocol, flexible: FlexibleReceptor | None = None
    ) -> None:
        self._vina = vina
        self._flexible = flexible
        self._box = box
        self._protocol = protocol

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        """Dock one state from each of its ring conformations; see `ports.engine.DockingSite.dock`."""
        mol = mol_from_block(state.mol_block)
        refuse_unfit(state, self._box)

        def search(start: str, runs: int, turn: int) -> tuple[Pose, ...]:
            return self._search(state, _rotated(start, turn, self._box), runs, mol)

        return search_from_starts(state, self._protocol, seed, search)

    def _search(self, state: LigandState, start: str, runs: int, mol: Chem.Mol) -> tuple[Pose, ...]:
        protocol = self._protocol
        self._set_ligand(start)
        try:
            self._vina.dock(
                exhaustiveness=runs,
                n_poses=max(protocol.n_poses, SEARCH_POSES),
                min_rmsd=protocol.min_rmsd_angstrom,
                max_evals=max_evaluations(state, protocol.effort.run_length, self._flexible),
            )
            with _silence():
                text = self._vina.poses(protocol.n_poses, protocol.energy_range_kcal_mol)
                scores = self._vina.energies(protocol.n_poses, protocol.energy_range_kcal_mol)
        except (RuntimeError, ValueError, IndexError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.NO_POSE, _reason(cause)) from cause
        return self._poses(text, np.atleast_2d(scores), mol, index_map(start))

    def score(self, state: LigandState) -> float:
        """Return the score (kcal/mol) of the state where its mol block places it."""
        self._set_in_place(state)
        try:
            return score_in_place(self._vina.score(), self._flexible)
        except (RuntimeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.NO_POSE, _reason(cause)) from cause

    def relax(self, state: LigandState) -> Pose:
        """Optimize locally; see `ports.engine.RelaxingSite.relax`."""
        mol = self._set_in_place(state)
        try:
            with _silence(), tempfile.TemporaryDirectory() as folder:
                score = score_in_place(self._vina.optimize(), self._flexible)
                path = Path(folder, "relaxed.pdbqt")
                self._vina.write_pose(str(path))
                points = [position(line) for line in atom_lines(path.read_text())]
        except (RuntimeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.NO_POSE, _reason(cause)) from cause
        placed = {atom: points[serial - 1] for serial, atom in index_map(state.pdbqt).items()}
        return Pose(1, score, pack_coordinates(complete_pose(mol, placed)))

    def _set_in_place(self, state: LigandState) -> Chem.Mol:
        mol = mol_from_block(state.mol_block)
        refuse_outside(mol, self._box)
        self._set_ligand(placed_at(state.pdbqt, mol.GetConformer().GetPositions()))
        return mol

    def _set_ligand(self, pdbqt: str) -> None:
        # A type without a map would make Vina end the process.
        refuse_unknown_types(pdbqt, self._protocol.scoring)
        try:
            self._vina.set_ligand_from_string(pdbqt)
        except (RuntimeError, TypeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.PREPARATION_FAILED, _reason(cause)) from cause

    def _poses(self, text: str, scores: Matrix, mol: Chem.Mol, atoms: Mapping[int, int]) -> tuple[Pose, ...]:
        models = models_in(text)
        if not models or scores.size == 0:
            raise LigandRejected(RejectionReason.NO_POSE)
        scored = zip(scores[:, 0].tolist(), objectives(scores, self._protocol.scoring), models, strict=True)
        return ranked_poses(scored, mol, atoms, self._box, self._flexible)


@cache
def _build() -> EngineBuild:
    found = version("vina")
    compiled = find_spec("vina._vina_wrapper")
    if compiled is None or compiled.origin is None:
        return EngineBuild("vina", found, f"vina-{found}-portable", SCORING_FUNCTIONS)
    module = Path(compiled.origin)
    portable = EngineBuild("vina", found, f"vina-{found}-portable", SCORING_FUNCTIONS, bytes_hash(module.read_bytes()))
    return build_of_module(module) or portable


def _flexible(receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> FlexibleReceptor | None:
    if not protocol.flexible_residues:
        return None
    if protocol.scoring == AD4:
        raise EngineFailed(
            "With ad4 a score leaves out what moved side chains cost, so that they would clash for nothing. Choose "
            "vina or vinardo for flexible residues.",
            code="parameter_unsupported",
            field="flexible_residues",
        )
    try:
        return split_off(receptor_pdbqt, protocol.flexible_residues, box)
    except InvalidInput as cause:
        raise EngineFailed(cause.message, code=cause.error_code, **cause.details) from cause


def _written(path: Path, text: str) -> str:
    path.write_text(text)
    return str(path)


def _rotated(pdbqt: str, seed: int, box: SearchBox) -> str:
    """Turn the start conformer by a random rotation about its centroid and put it in the middle of the box."""
    points = np.array([position(line) for line in atom_lines(pdbqt)])
    turned = (points - points.mean(axis=0)) @ _random_rotation(seed).T + np.array(box.center)
    return with_positions(pdbqt, turned)


def _random_rotation(seed: int) -> Matrix:
    """Return a uniform random rotation matrix (Shoemake 1992: normalised Gaussian quaternion)."""
    generator = random.Random(seed)
    w, x, y, z = (generator.gauss(0.0, 1.0) for _ in range(4))
    norm = math.sqrt(w * w + x * x + y * y + z * z)
    w, x, y, z = w / norm, x / norm, y / norm, z / norm
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - z * w), 2 * (x * z + y * w)],
            [2 * (x * y + z * w), 1 - 2 * (x * x + z * z), 2 * (y * z - x * w)],
            [2 * (x * z - y * w), 2 * (y * z + x * w), 1 - 2 * (x * x + y * y)],
        ]
    )


@contextmanager
def _silence() -> Iterator[None]:
    """Lead file descriptors 1 and 2 to nowhere where Vina writes known warnings at every verbosity.

    The search itself is not silenced: what it says before it ends the process is worth reading.
    """
    kept = [os.dup(descriptor) for descriptor in _STANDARD_STREAMS]
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for descriptor in _STANDARD_STREAMS:
            os.dup2(nowhere, descriptor)
        yield
    finally:
        for descriptor, original in zip(_STANDARD_STREAMS, kept, strict=True):
            os.dup2(original, descriptor)
            os.close(original)
        os.close(nowhere)


def _raise_if_out_of_memory(cause: Exception) -> None:
    if "bad_alloc" in str(cause) or "length_error" in str(cause):
        raise MemoryError(str(cause)) from cause


def _reason(cause: Exception) -> str:
    lines = [line.strip() for line in str(cause).splitlines() if line.strip()]
    return f"Vina says: {' '.join(lines)[:300]}" if lines else ""
