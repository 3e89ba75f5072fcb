"""The unit of work: one transaction in one scope."""

from types import TracebackType
from typing import Protocol, Self

from molecular_analysis_dashboard.domain.identity import Scope
from molecular_analysis_dashboard.ports.analyses import Analyses
from molecular_analysis_dashboard.ports.control import Control, Dispatch, Workers
from molecular_analysis_dashboard.ports.repositories import (
    Events,
    Identities,
    Jobs,
    Ledger,
    Libraries,
    Protocols,
    Results,
    Structures,
)
from molecular_analysis_dashboard.ports.rescoring import Rescorings
from molecular_analysis_dashboard.ports.sweep import StoredFiles, Sweep
from molecular_analysis_dashboard.ports.validation import Redockings, Validations

# Code of the `ResourceLost` that says that the database did not answer at all.
DATABASE_UNREACHABLE = "database_unreachable"


class UnitOfWork(Protocol):
    """Repositories over one transaction; leaving without `commit` rolls back."""

    @property
    def structures(self) -> Structures:
        """Structures, receptors and binding sites."""

    @property
    def libraries(self) -> Libraries:
        """Libraries, ligands and rejections."""

    @property
    def protocols(self) -> Protocols:
        """Protocols."""

    @property
    def jobs(self) -> Jobs:
        """Jobs and their tasks."""

    @property
    def results(self) -> Results:
        """Results and poses."""

    @property
    def redockings(self) -> Redockings:
        """Redockings."""

    @property
    def validations(self) -> Validations:
        """Validations by actives and decoys."""

    @property
    def analyses(self) -> Analyses:
        """Analyses of poses."""

    @property
    def rescorings(self) -> Rescorings:
        """Rescorings of poses."""

    @property
    def ledger(self) -> Ledger:
        """Claims and records."""

    @property
    def workers(self) -> Workers:
        """The register of workers; system scope only."""

    @property
    def dispatch(self) -> Dispatch:
        """The waiting line and its release to the broker; system scope only."""

    @property
    def control(self) -> Control:
        """Leases, recovery and the ends of jobs; system scope only."""

    @property
    def identities(self) -> Identities:
        """Organizations, users and memberships; system scope only."""

    @property
    def events(self) -> Events:
        """Events of jobs."""

    @property
    def files(self) -> StoredFiles:
        """Files that rows are about to refer to."""

    @property
    def sweep(self) -> Sweep:
        """Removal of what is deleted; system scope only."""

    def commit(self) -> None:
        """Make it all durable."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Database(Protocol):
    """Opens units of work."""

    def begin(self, scope: Scope) -> UnitOfWork:
        """Begin a transaction in a scope; ResourceLost while the database is out of reach."""
