"""A docking engine for tests: fast, deterministic, and misbehaving on request.

It is found by its entry point, as any engine of a third party; `tests/plugins` only has to be on PYTHONPATH.
Iodine asks for trouble: one atom of it ends the process, two never return, three eat memory.
One unit of exhaustiveness holds the interpreter's lock for 10 ms, as a real engine does while it searches.
"""

import ctypes
import os
from collections.abc import Mapping

import numpy as np
from rdkit import Chem

from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.sites import SearchBox

BUILD_ID = "test-1.0-portable"
CRASHER, SLEEPER, MEMORY_EATER = "IC", "IC(I)C", "IC(I)(I)C"
_UNIT_US = 10_000
# A score in place, long enough to be hit in the middle of some.
_SCORE_US = 50_000


class TestSite:
    """A "search" whose poses are noise around the box's centre, drawn from the seed alone."""

    def __init__(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> None:
        self._receptor_pdbqt = receptor_pdbqt
        self._box = box
        self._protocol = protocol

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        misbehave(state.smiles)
        hold_the_lock(self._protocol.effort.exhaustiveness * _UNIT_US)
        random = np.random.default_rng(seed)
        mol = Chem.MolFromMolBlock(state.mol_block, removeHs=False)
        start = mol.GetConformer().GetPositions()
        poses = []
        for rank in range(1, self._protocol.n_poses + 1):
            placed = start - start.mean(axis=0) + np.asarray(self._box.center) + random.normal(size=3)
            score = -state.heavy_atoms / 4 + 0.1 * rank + float(random.uniform(0, 0.05))
            poses.append(Pose(rank, score, placed.astype("<f4").tobytes()))
        return tuple(poses)

    def score(self, state: LigandState) -> float:
        misbehave(state.smiles)
        hold_the_lock(_SCORE_US)
        return -state.heavy_atoms / 4


class TestEngine:
    """Implements the engine port."""

    @property
    def build(self) -> EngineBuild:
        return EngineBuild("test", "1.0", BUILD_ID, ("test",))

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        whole = {"type": "integer", "minimum": 1}
        return {"type": "object", "properties": {"exhaustiveness": whole, "n_poses": whole, "seed": whole}}

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> TestSite:
        if "REFUSE" in receptor_pdbqt:
            raise EngineFailed("The test engine refuses this receptor.", code="receptor_refused")
        return TestSite(receptor_pdbqt, box, protocol)


def misbehave(smiles: str) -> None:
    match smiles.count("I"):
        case 1:
            os._exit(3)
        case 2:
            while True:
                hold_the_lock(1_000_000)
        case 3:
            hoard = []
            while True:
                hoard.append(np.ones(8_000_000))


def hold_the_lock(microseconds: int) -> None:
    """Sleep in C without releasing the interpreter's lock."""
    ctypes.PyDLL(None).usleep(microseconds)
