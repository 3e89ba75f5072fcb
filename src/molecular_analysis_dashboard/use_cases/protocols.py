"""Saving a protocol: versions never change, equal content is never stored twice under one name."""

from collections.abc import Mapping
from datetime import UTC, datetime

from molecular_analysis_dashboard.domain.catalog import ProtocolVersion
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.errors import InvalidInput
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork

# What the bundled engine offers; other engines' scoring functions are known to their workers only.
_SCORING: Mapping[str, tuple[str, ...]] = {"vina": ("vina", "vinardo")}


def save_protocol(
    uow: UnitOfWork, principal: Principal, name: str, protocol: DockingProtocol
) -> tuple[ProtocolVersion, bool]:
    """Return the version with this content under this name, and whether it is new.

    Raises
    ------
    InvalidInput
        With code ``scoring_unsupported`` if the engine is known not to have the scoring function.
    """
    offered = _SCORING.get(protocol.engine)
    if offered is not None and protocol.scoring not in offered:
        raise InvalidInput(
            f"The engine {protocol.engine} has no scoring function {protocol.scoring}. Choose {' or '.join(offered)}.",
            code="scoring_unsupported",
            choices=list(offered),
        )
    uow.protocols.lock_name(name)
    known = uow.protocols.find(name, protocol.content_hash)
    if known is not None:
        return known, False
    version = ProtocolVersion(
        id=new_id(),
        name=name,
        version=uow.protocols.next_version(name),
        protocol=protocol,
        content_hash=protocol.content_hash,
        created_by=principal.user_id,
        created_at=datetime.now(UTC),
    )
    uow.protocols.add(version)
    return uow.protocols.get(version.id), True
