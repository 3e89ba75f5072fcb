"""The port behind which every docking engine stands.

An engine package offers a class of this shape under the entry point group
``molecular_analysis_dashboard.engines``. All of it runs inside an engine process: it may block, hold the
interpreter's lock, or even end the process; the slot outside watches.
"""

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild, Pose
from molecular_analysis_dashboard.domain.ligands import LigandState
from molecular_analysis_dashboard.domain.sites import SearchBox


class DockingSite(Protocol):
    """A receptor's maps over one box, computed once and kept warm."""

    def dock(self, state: LigandState, *, seed: int) -> tuple[Pose, ...]:
        """Search one round of the protocol's effort: `exhaustiveness` runs of `run_length`.

        Poses come best first, with coordinates of all atoms of the state's mol block. The same state and seed give
        identical coordinates whatever was docked before; another seed gives an independent search. Who wants the
        whole effort calls `adapters.engines.rounds.dock_in_rounds`.

        Raises
        ------
        LigandRejected
            If this ligand cannot be docked here (outside the box, unsupported element, no pose).
        """

    def score(self, state: LigandState) -> float:
        """Return the docking score (kcal/mol) of the state where its mol block places it, without moving it."""


@runtime_checkable
class RelaxingSite(DockingSite, Protocol):
    """A site that can also optimize locally; an engine without it loses only an explanation of redocking misses."""

    def relax(self, state: LigandState) -> Pose:
        """Return where the nearest minimum of the score lies, from where the mol block places the state.

        Raises
        ------
        LigandRejected
            If it cannot be scored here.
        """


class DockingEngine(Protocol):
    """One engine, at one version."""

    @property
    def build(self) -> EngineBuild:
        """What is installed here."""

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        """JSON schema of the protocol's fields that this engine reads."""

    def open_site(self, receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> DockingSite:
        """Compute the receptor's maps.

        Raises
        ------
        EngineFailed
            If the receptor, the box or the protocol cannot be used by this engine.
        """


@runtime_checkable
class EngineOfSeveralBuilds(DockingEngine, Protocol):
    """An engine that needs another program for some scoring functions.

    What needs it is a build of its own, so that a job that asks for it reaches only workers that have the program.
    """

    @property
    def further_builds(self) -> tuple[EngineBuild, ...]:
        """Builds besides `build`, each with its own scoring functions."""
