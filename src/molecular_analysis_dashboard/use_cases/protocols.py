"""Saving a protocol: versions never change, equal content is never stored twice under one name."""

from datetime import UTC, datetime

from molecular_analysis_dashboard.domain.catalog import ProtocolVersion
from molecular_analysis_dashboard.domain.docking import DockingProtocol
from molecular_analysis_dashboard.domain.identity import Principal, new_id
from molecular_analysis_dashboard.ports.unit_of_work import UnitOfWork
from molecular_analysis_dashboard.use_cases.engines import check_engine


def save_protocol(
    uow: UnitOfWork, principal: Principal, name: str, protocol: DockingProtocol
) -> tuple[ProtocolVersion, bool]:
    """Return the version with this content under this name, and whether it is new.

    Raises
    ------
    InvalidInput
        With code ``engine_unknown``, ``scoring_unsupported`` or ``parameter_unsupported``.
    """
    check_engine(uow, protocol)
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
