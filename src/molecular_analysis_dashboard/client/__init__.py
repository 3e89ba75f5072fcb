"""A thin typed client of the HTTP interface."""

from .client import Client
from .models import (
    BindingSite,
    EngineBuild,
    Hit,
    Job,
    JobCounts,
    Library,
    Pocket,
    Receptor,
    Rejected,
    RescoredLigand,
    ResidueNote,
    Structure,
    Waiting,
)
from .transport import Unreachable

__all__ = [
    "BindingSite",
    "Client",
    "EngineBuild",
    "Hit",
    "Job",
    "JobCounts",
    "Library",
    "Pocket",
    "Receptor",
    "Rejected",
    "RescoredLigand",
    "ResidueNote",
    "Structure",
    "Unreachable",
    "Waiting",
]
