"""Identifiers, principals and scopes."""

import secrets
import time
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID


def new_id() -> UUID:
    """Return a UUIDv7 (RFC 9562): random, and ordered by the millisecond of its creation."""
    milliseconds = time.time_ns() // 1_000_000
    value = (milliseconds & (2**48 - 1)) << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 0x7 << 76
    value = value & ~(0x3 << 62) | 0x2 << 62
    return UUID(int=value)


class Role(StrEnum):
    """What a member may do in an organization."""

    VIEWER = "viewer"
    MEMBER = "member"
    ADMIN = "admin"


@dataclass(frozen=True)
class TenantScope:
    """Everything is seen and written as one organization; the database enforces it."""

    org_id: UUID


@dataclass(frozen=True)
class SystemScope:
    """The reconciler's and the migrations' view of all organizations. No request ever gets it."""


Scope = TenantScope | SystemScope


@dataclass(frozen=True)
class Principal:
    """Who is asking, and for which organization."""

    user_id: UUID
    org_id: UUID
    role: Role = Role.MEMBER

    @property
    def scope(self) -> TenantScope:
        """The scope in which this principal's requests run."""
        return TenantScope(self.org_id)
