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

import numpy as np
from numpy.typing import NDArray
from rdkit import Chem
from vina import Vina

from molecular_analysis_dashboard.adapters.chemistry.hydrogens import complete_pose
from molecular_analysis_dashboard.adapters.chemistry.pdbqt import (
    LIGAND_TYPES,
    RECEPTOR_TYPES,
    atom_lines,
    atom_type,
    index_map,
    moved,
    position,
)
from molecular_analysis_dashboard.adapters.chemistry.poses import mol_from_block, pack_coordinates
from molecular_analysis_dashboard.adapters.chemistry.sites import check_box
from molecular_analysis_dashboard.adapters.engines.native_builds import build_of_module
from molecular_analysis_dashboard.adapters.engines.vina_search import max_evaluations, objectives
from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.errors import EngineFailed, InvalidInput
from molecular_analysis_dashboard.domain.hashing import MAX_SEED, bytes_hash, derive_seed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.rejections import LigandRejected, RejectionReason
from molecular_analysis_dashboard.domain.sites import SearchBox

Matrix = NDArray[np.float64]
SCORING_FUNCTIONS = ("vina", "vinardo")
# Vina's own default; fewer would change the search itself, because the best so many minima are refined.
_SEARCH_POSES = 9
_VOXEL_ANGSTROM = 0.375
_STANDARD_STREAMS = (1, 2)


class VinaEngine:
    """Vina's bindings, one thread, no output: those of the PyPI wheel, or a build that stands before it on the path."""

    @property
    def build(self) -> EngineBuild:
        """What is installed here."""
        return _build()

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
            },
        }

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> "VinaSite":
        """Compute the maps of all atom types over the box.

        Raises
        ------
        EngineFailed
            If Vina cannot use the protocol, the receptor or the box.
        """
        _check_protocol(protocol)
        _check_receptor(receptor_pdbqt, box)
        seed = derive_seed(protocol.seed, bytes_hash(receptor_pdbqt.encode()), box.center, box.size)
        vina = Vina(sf_name=protocol.scoring, cpu=1, seed=seed, verbosity=0)
        try:
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "receptor.pdbqt")
                path.write_text(_atoms_only(receptor_pdbqt))
                vina.set_receptor(str(path))
            with _silence():
                vina.compute_vina_maps(list(box.center), list(box.size), spacing=_VOXEL_ANGSTROM)
        except (RuntimeError, TypeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise EngineFailed(
                f"Vina refuses the receptor: {_reason(cause)} Prepare it again.", code="receptor_refused"
            ) from cause
        return VinaSite(vina, box, protocol)


class VinaSite:
    """One receptor's maps, kept warm; see `ports.engine.DockingSite`.

    Vina takes its seed when the object is made and starts each search from it, so the receptor, the box and the
    protocol's seed fix the sequence of random numbers. What differs between ligand states of equal shape, and
    between the caller's seeds, is the orientation in which the start conformer is handed over.
    """

    def __init__(self, vina: Vina, box: SearchBox, protocol: DockingProtocol) -> None:
        self._vina = vina
        self._box = box
        self._protocol = protocol

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        """Dock one state; see `ports.engine.DockingSite.dock`."""
        protocol = self._protocol
        mol = mol_from_block(state.mol_block)
        self._refuse_unfit(state)
        self._set_ligand(_rotated(state.pdbqt, seed, self._box))
        try:
            self._vina.dock(
                exhaustiveness=protocol.effort.exhaustiveness,
                n_poses=max(protocol.n_poses, _SEARCH_POSES),
                min_rmsd=protocol.min_rmsd_angstrom,
                max_evals=max_evaluations(state, protocol.effort.run_length),
            )
            with _silence():
                text = self._vina.poses(protocol.n_poses, protocol.energy_range_kcal_mol)
                scores = self._vina.energies(protocol.n_poses, protocol.energy_range_kcal_mol)
        except (RuntimeError, ValueError, IndexError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.NO_POSE, _reason(cause)) from cause
        return self._poses(text, np.atleast_2d(scores), mol, index_map(state.pdbqt))

    def score(self, state: LigandState) -> float:
        """Return the score (kcal/mol) of the state where its mol block places it."""
        mol = mol_from_block(state.mol_block)
        positions = mol.GetConformer().GetPositions()
        if not all(self._box.contains((x, y, z)) for x, y, z in positions.tolist()):
            raise LigandRejected(RejectionReason.OUTSIDE_BOX, "Scoring in place needs every atom inside the box.")
        self._set_ligand(_placed(state.pdbqt, positions))
        try:
            return float(self._vina.score()[0])
        except (RuntimeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.NO_POSE, _reason(cause)) from cause

    def _set_ligand(self, pdbqt: str) -> None:
        # A type without a map would make Vina end the process.
        if unknown := sorted({atom_type(line) for line in atom_lines(pdbqt)} - LIGAND_TYPES):
            raise LigandRejected(RejectionReason.UNSUPPORTED_ELEMENT, f"Atom types: {', '.join(unknown)}.")
        try:
            self._vina.set_ligand_from_string(pdbqt)
        except (RuntimeError, TypeError, ValueError) as cause:
            _raise_if_out_of_memory(cause)
            raise LigandRejected(RejectionReason.PREPARATION_FAILED, _reason(cause)) from cause

    def _refuse_unfit(self, state: LigandState) -> None:
        """Refuse a ligand whose largest rigid part is longer than the box's diagonal."""
        longest = max(_rigid_extents(state.pdbqt), default=0.0)
        diagonal = math.dist((0, 0, 0), self._box.size)
        if longest > diagonal:
            raise LigandRejected(
                RejectionReason.OUTSIDE_BOX,
                f"A rigid part is {longest:.1f} Å long; the box's diagonal is {diagonal:.1f} Å.",
            )

    def _poses(self, text: str, scores: Matrix, mol: Chem.Mol, atoms: Mapping[int, int]) -> tuple[Pose, ...]:
        models = [model for model in text.split("ENDMDL") if "ATOM" in model]
        if not models or scores.size == 0:
            raise LigandRejected(RejectionReason.NO_POSE)
        found = []
        for model, score, objective in zip(models, scores[:, 0].tolist(), objectives(scores), strict=True):
            points = [position(line) for line in atom_lines(model)]
            placed = {atom: points[serial - 1] for serial, atom in atoms.items()}
            if self._is_inside(placed, mol):
                found.append((score, pack_coordinates(complete_pose(mol, placed)), objective))
        if not found:
            raise LigandRejected(RejectionReason.OUTSIDE_BOX, "Every pose reaches beyond the box.")
        found.sort(key=lambda pose: pose[0])
        return tuple(Pose(rank, *pose) for rank, pose in enumerate(found, start=1))

    def _is_inside(self, placed: Mapping[int, tuple[float, float, float]], mol: Chem.Mol) -> bool:
        # Vina lets atoms leave the box by a fraction of a voxel.
        return all(
            self._box.contains(point, margin=-1.0)
            for index, point in placed.items()
            if mol.GetAtomWithIdx(index).GetAtomicNum() > 1
        )


@cache
def _build() -> EngineBuild:
    found = version("vina")
    compiled = find_spec("vina._vina_wrapper")
    if compiled is None or compiled.origin is None:
        return EngineBuild("vina", found, f"vina-{found}-portable", SCORING_FUNCTIONS)
    module = Path(compiled.origin)
    portable = EngineBuild("vina", found, f"vina-{found}-portable", SCORING_FUNCTIONS, bytes_hash(module.read_bytes()))
    return build_of_module(module) or portable


def _check_protocol(protocol: DockingProtocol) -> None:
    if protocol.scoring not in SCORING_FUNCTIONS:
        raise EngineFailed(
            f"This Vina build does not offer the scoring function “{protocol.scoring}”. Choose "
            f"{' or '.join(SCORING_FUNCTIONS)}; ad4 needs maps from AutoGrid, which is not part of it.",
            code="scoring_unsupported",
            scoring=protocol.scoring,
        )
    if not 1 <= protocol.seed <= MAX_SEED:
        raise EngineFailed(f"The seed must be 1 to {MAX_SEED}; Vina reads 0 as random.", code="seed_invalid")


def _check_receptor(receptor_pdbqt: str, box: SearchBox) -> None:
    types = {atom_type(line) for line in atom_lines(receptor_pdbqt)}
    if not types:
        raise EngineFailed("The receptor holds no atoms. Prepare it again.", code="receptor_refused")
    if unknown := sorted(types - RECEPTOR_TYPES):
        raise EngineFailed(
            f"Vina has no atom types {', '.join(unknown)} of the receptor. Remove those groups and prepare it again.",
            code="receptor_refused",
            atom_types=unknown,
        )
    try:
        check_box(receptor_pdbqt, box)
    except InvalidInput as cause:
        raise EngineFailed(cause.message, code=cause.error_code, **cause.details) from cause


def _atoms_only(receptor_pdbqt: str) -> str:
    return "\n".join(atom_lines(receptor_pdbqt)) + "\n"


def _rotated(pdbqt: str, seed: int, box: SearchBox) -> str:
    """Turn the start conformer by a random rotation about its centroid and put it in the middle of the box."""
    points = np.array([position(line) for line in atom_lines(pdbqt)])
    turned = (points - points.mean(axis=0)) @ _random_rotation(seed).T + np.array(box.center)
    return _with_positions(pdbqt, turned)


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


def _placed(pdbqt: str, positions: Matrix) -> str:
    """Move the PDBQT atoms to the mol block's positions; closure pseudo-atoms sit on the atoms they stand for."""
    atoms = index_map(pdbqt)
    start = np.array([position(line) for line in atom_lines(pdbqt)])
    target = start.copy()
    for serial, index in atoms.items():
        target[serial - 1] = positions[index]
    for serial in range(1, len(start) + 1):
        if serial not in atoms:
            twins = [s for s in atoms if np.allclose(start[s - 1], start[serial - 1], atol=2e-3)]
            if not twins:
                raise LigandRejected(RejectionReason.PREPARATION_FAILED, "A ring closure atom has no partner.")
            target[serial - 1] = target[twins[0] - 1]
    return _with_positions(pdbqt, target)


def _with_positions(pdbqt: str, positions: Matrix) -> str:
    rows = iter(positions.tolist())
    return "".join(
        (moved(line, *next(rows)) if line.startswith(("ATOM", "HETATM")) else line) + "\n"
        for line in pdbqt.splitlines()
    )


def _rigid_extents(pdbqt: str) -> Iterator[float]:
    """Yield the largest distance (Å) within each rigid part of a ligand."""
    part: list[tuple[float, float, float]] = []
    for line in [*pdbqt.splitlines(), "TORSDOF"]:
        if line.startswith(("ATOM", "HETATM")):
            part.append(position(line))
        elif line.startswith(("BRANCH", "ENDBRANCH", "ENDROOT", "TORSDOF")) and part:
            points = np.array(part)
            yield float(np.linalg.norm(points[:, None] - points[None, :], axis=2).max())
            part = []


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
