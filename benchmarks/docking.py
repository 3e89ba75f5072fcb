"""Docking by the product's own path, without a server: an engine process asked for one ligand after the other."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from molecular_analysis_dashboard.adapters.chemistry.validation import validate_record
from molecular_analysis_dashboard.adapters.engines.process import EngineProcess
from molecular_analysis_dashboard.domain.docking import (
    PRESETS,
    DockedLigand,
    DockingProtocol,
    EffortPreset,
    SearchEffort,
)
from molecular_analysis_dashboard.domain.errors import MadError
from molecular_analysis_dashboard.domain.hashing import content_hash
from molecular_analysis_dashboard.domain.ligands import LigandInput, LigandRecord
from molecular_analysis_dashboard.domain.rejections import LigandRejected
from molecular_analysis_dashboard.domain.sites import SearchBox
from molecular_analysis_dashboard.ports.chemistry_process import SiteSpec


def effort_named(name: str) -> SearchEffort:
    """Return a preset by its name, or Vina's plain search with so many runs."""
    if name.isdigit():
        return SearchEffort(exhaustiveness=int(name))
    return PRESETS[EffortPreset(name)]


@contextmanager
def engine_process() -> Iterator[EngineProcess]:
    """Give an engine process that may take long; it ends with the block."""
    process = EngineProcess(
        memory_bytes=8 << 30,
        dock_timeout_s=3600.0,
        preparation_timeout_s=1800.0,
        warm_sites=1,
        environment=dict(os.environ),
    )
    try:
        yield process
    finally:
        process.restart()


def site_of(receptor_pdbqt: str, box: SearchBox, protocol: DockingProtocol) -> SiteSpec:
    """Name a site as the product does."""
    return SiteSpec(content_hash({"pdbqt": receptor_pdbqt}), receptor_pdbqt, box, protocol)


def dock_smiles(process: EngineProcess, site: SiteSpec, smiles: str) -> DockedLigand | str:
    """Read a SMILES as a library does and dock it; return why there is no score otherwise."""
    try:
        found = validate_record(LigandRecord(1, smiles, "smiles"))
    except LigandRejected as rejection:
        return rejection.reason
    try:
        process.open_site(site)
        outcome = process.dock(site, LigandInput("1", "", found.smiles, found.drawn_smiles))
    except MadError as error:
        process.restart()
        return error.error_code
    return outcome if isinstance(outcome, DockedLigand) else outcome.reason
