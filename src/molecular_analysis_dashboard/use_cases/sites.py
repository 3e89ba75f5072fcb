"""Defining a binding site: the box from where it comes, checked against the structure."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from uuid import UUID

from molecular_analysis_dashboard.domain.catalog import BindingSite, Receptor, Structure
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.domain.pockets import BOX_PADDING_ANGSTROM, Pocket, pocket_of_rank
from molecular_analysis_dashboard.domain.sites import SearchBox, SiteOrigin, Vector
from molecular_analysis_dashboard.ports.blobs import BlobStore
from molecular_analysis_dashboard.ports.chemistry import NativePlace, RequestChemistry
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.file_names import base_name
from molecular_analysis_dashboard.use_cases.receptors import pockets_of


@dataclass(frozen=True)
class FromNativeLigand:
    """Around a ligand of the structure, or of a file of its own."""

    selector: str | None
    file_name: str | None
    file_content: str | None
    template: str | None
    padding_angstrom: float


@dataclass(frozen=True)
class FromResidues:
    """Around residues named ``CHAIN:NUMBER``."""

    residues: tuple[str, ...]
    padding_angstrom: float


@dataclass(frozen=True)
class FromPocket:
    """Around a pocket of a prepared receptor."""

    receptor_id: UUID
    rank: int
    padding_angstrom: float


@dataclass(frozen=True)
class Manual:
    """Set by hand, in Å."""

    center: Vector
    size: Vector


Origin = FromNativeLigand | FromResidues | FromPocket | Manual


@dataclass(frozen=True)
class _Found:
    kind: SiteOrigin
    name: str
    box: SearchBox
    details: dict[str, object]
    native: NativePlace | None = None


def define_site(
    database: Database,
    uploads: BlobStore,
    chemistry: RequestChemistry,
    principal: Principal,
    structure_id: UUID,
    origin: Origin,
    *,
    name: str | None,
) -> BindingSite:
    """Store a site with the checks of its box.

    Raises
    ------
    InvalidInput
        If the origin names nothing in the structure, or the box is unusable or lies off the structure.
    Conflict
        If the origin is a pocket and those of the receptor are not known (yet).
    """
    with database.begin(principal.scope) as uow:
        structure = uow.structures.get(structure_id)
        receptor = uow.structures.get_receptor(origin.receptor_id) if isinstance(origin, FromPocket) else None
    pockets = () if receptor is None else _pockets(receptor, structure_id)
    with uploads.open(structure.sha256) as stream:
        data = stream.read()
    found = _find(chemistry, data, structure, origin, pockets)
    native = found.native.coordinates if found.native else None
    checks = chemistry.check_box(data, structure.file_name, found.box, native)
    warnings = found.native.warnings if found.native else ()
    site = BindingSite(
        id=new_id(),
        structure_id=structure_id,
        name=name or found.name,
        origin=found.kind,
        box=found.box,
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
        details=found.details | {"checks": [asdict(check) for check in checks], "warnings": list(warnings)},
        native_mol_block=found.native.mol_block if found.native else None,
    )
    with database.begin(principal.scope) as uow:
        # The structure may have been deleted while its file was read.
        uow.structures.get(structure_id)
        uow.structures.add_site(site)
        site = uow.structures.get_site(site.id)
        uow.commit()
    return site


def _pockets(receptor: Receptor, structure_id: UUID) -> tuple[Pocket, ...]:
    if receptor.structure_id != structure_id:
        raise InvalidInput(
            "The receptor was prepared from another structure; name the one that it belongs to.",
            code="receptor_of_other_structure",
            receptor_id=str(receptor.id),
            structure_id=str(receptor.structure_id),
        )
    return pockets_of(receptor)


def _find(
    chemistry: RequestChemistry, data: bytes, structure: Structure, origin: Origin, pockets: Sequence[Pocket]
) -> _Found:
    match origin:
        case FromNativeLigand():
            return _around_native(chemistry, data, structure, origin)
        case FromResidues(residues, padding):
            box = chemistry.box_around_residues(data, structure.file_name, residues, padding)
            details: dict[str, object] = {"residues": list(residues), "padding_angstrom": padding}
            return _Found(SiteOrigin.RESIDUES, _listed(residues), box, details)
        case FromPocket(rank=rank):
            return _around_pocket(pocket_of_rank(pockets, rank), origin)
        case Manual(center, size):
            return _Found(SiteOrigin.MANUAL, "Manual box", SearchBox(center, size), {})


def _around_native(chemistry: RequestChemistry, data: bytes, structure: Structure, origin: FromNativeLigand) -> _Found:
    if origin.file_content is not None and origin.selector is not None:
        raise InvalidInput(
            "Name a ligand of the structure (selector) or send one (file), not both.", code="native_twice"
        )
    details: dict[str, object] = {"padding_angstrom": origin.padding_angstrom}
    if origin.file_content is not None:
        file_name = base_name(origin.file_name or "")
        native = chemistry.native_of_file(origin.file_content, file_name, origin.template)
        details["file_name"] = file_name
    else:
        native = chemistry.native_of_structure(data, structure.file_name, origin.selector, origin.template)
        details["selector"] = native.selector
    if origin.template is not None:
        details["template"] = origin.template
    details["native"] = {"name": native.name, "n_heavy_atoms": len(native.coordinates)}
    box = chemistry.box_around(native.coordinates, origin.padding_angstrom)
    return _Found(SiteOrigin.NATIVE_LIGAND, f"Around {native.name}"[:200], box, details, native)


def _around_pocket(pocket: Pocket, origin: FromPocket) -> _Found:
    details: dict[str, object] = {
        "receptor_id": str(origin.receptor_id),
        "rank": pocket.rank,
        "padding_angstrom": origin.padding_angstrom,
        "score": pocket.score,
        "volume_angstrom3": pocket.volume_angstrom3,
        "residues": list(pocket.residues),
    }
    box = pocket.box.widened(origin.padding_angstrom - BOX_PADDING_ANGSTROM)
    return _Found(SiteOrigin.POCKET, f"Pocket {pocket.rank}", box, details)


def _listed(residues: Sequence[str]) -> str:
    shown = ", ".join(residues[:3])
    return f"Around {shown}" + (f" and {len(residues) - 3} more" if len(residues) > 3 else "")
