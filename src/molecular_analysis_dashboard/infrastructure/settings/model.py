"""All settings of a process as one frozen value."""

from pydantic import BaseModel, ConfigDict

from .database import Database
from .groups import Auth, Docking, Flower, Ledger, Limits, Runtime, Telemetry
from .queue import Queue
from .storage import Storage


class Settings(BaseModel):
    """All settings, built by `load_settings` and passed on; `warnings` are to be logged once at start."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    runtime: Runtime
    database: Database
    queue: Queue
    storage: Storage
    auth: Auth
    limits: Limits
    docking: Docking
    ledger: Ledger
    telemetry: Telemetry
    flower: Flower
    warnings: tuple[str, ...] = ()
