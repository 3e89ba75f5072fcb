"""The groups of settings that need no more than a field per variable."""

import os
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import ByteSize, Field, SecretStr, field_validator, model_validator

from molecular_analysis_dashboard.domain.engine_commands import (
    DEFAULT_AUTOGRID,
    NO_AUTOGRID,
    DockingPrograms,
    parse_engine_commands,
)

from .variables import Bytes, Count, Group, Port, Seconds, Text

GIB = 1024**3


class Runtime(Group):
    """How a process runs and where the API listens."""

    env: Literal["development", "production", "test"] = Field(
        "development",
        validation_alias="ENV",
        description="`development`, `production` or `test`; production refuses default and short secrets.",
    )
    secret_key: SecretStr | None = Field(
        None,
        validation_alias="SECRET_KEY",
        description="Key that signs what the server hands out; at least 32 characters in production.",
    )
    log_level: Literal["debug", "info", "warning", "error", "critical"] = Field(
        "info", validation_alias="LOG_LEVEL", description="`debug`, `info`, `warning`, `error` or `critical`."
    )
    host: Text = Field(
        "127.0.0.1",
        validation_alias="HOST",
        description="Address the API binds to; anything but loopback requires `MAD_STATIC_TOKEN`.",
    )
    port: Port = Field(8000, validation_alias="PORT", description="Port the API listens on.")
    web_concurrency: Count | None = Field(
        None,
        validation_alias="WEB_CONCURRENCY",
        description="API worker processes; when absent `UVICORN_WORKERS`, else one per core.",
    )
    uvicorn_workers: Count | None = Field(
        None,
        validation_alias="UVICORN_WORKERS",
        description="API worker processes when `WEB_CONCURRENCY` is absent; a mismatch is logged.",
    )

    @field_validator("env", "log_level", mode="before")
    @classmethod
    def _lower(cls, value: object) -> object:
        return value.lower() if isinstance(value, str) else value

    @property
    def web_workers(self) -> int:
        """Number of API worker processes."""
        return self.web_concurrency or self.uvicorn_workers or os.cpu_count() or 1


class Auth(Group):
    """Who may use the API."""

    static_token: SecretStr | None = Field(
        None,
        validation_alias="MAD_STATIC_TOKEN",
        description="Bearer token of every request; required in production and when `HOST` is not loopback.",
    )


class Limits(Group):
    """How large an input may be."""

    max_upload_bytes: Bytes = Field(
        ByteSize(2 * GIB), validation_alias="MAD_MAX_UPLOAD_BYTES", description="Largest uploaded file, in bytes."
    )
    max_decompressed_bytes: Bytes = Field(
        ByteSize(8 * GIB),
        validation_alias="MAD_MAX_DECOMPRESSED_BYTES",
        description="Most bytes that a compressed upload may unfold to.",
    )
    max_structure_bytes: Bytes = Field(
        ByteSize(200_000_000),
        validation_alias="MAD_MAX_STRUCTURE_BYTES",
        description="Largest macromolecular structure after decompression, in bytes.",
    )


class Docking(Group):
    """What an engine process may use."""

    ligand_timeout_s: Seconds = Field(
        1800.0, validation_alias="MAD_LIGAND_TIMEOUT_S", description="Longest docking of one ligand, in seconds."
    )
    preparation_timeout_s: Seconds = Field(
        600.0,
        validation_alias="MAD_PREPARATION_TIMEOUT_S",
        description="Longest preparation of one receptor or ligand, in seconds.",
    )
    analysis_timeout_s: Seconds = Field(
        300.0,
        validation_alias="MAD_ANALYSIS_TIMEOUT_S",
        description="Longest analysis of one pose, in seconds; beyond it, twice, the pose counts as not analysed.",
    )
    engine_memory_bytes: Bytes = Field(
        ByteSize(3 * GIB),
        validation_alias="MAD_ENGINE_MEMORY_BYTES",
        description="Most memory of one engine process, in bytes.",
    )
    warm_receptors: Count = Field(
        2, validation_alias="MAD_WARM_RECEPTORS", description="Receptors whose maps an engine process keeps."
    )
    engine_commands: str = Field(
        "",
        validation_alias="MAD_ENGINE_COMMANDS",
        description="Programs of the Vina family that workers offer as engines: `name=program arguments`, several "
        "separated by `;`; see docs/how-to/use-another-docking-program.md.",
    )
    autogrid_command: str = Field(
        DEFAULT_AUTOGRID,
        validation_alias="MAD_AUTOGRID_COMMAND",
        description="AutoGrid, by path or by a name on `PATH`. Workers that find it offer the scoring function `ad4`; "
        "`off` for never.",
    )
    engine_builds_dir: Text | None = Field(
        None,
        validation_alias="MAD_ENGINE_BUILDS_DIR",
        description="Folder with builds of `mad engines build`, which workers offer beside the installed engines.",
    )

    @field_validator("engine_commands")
    @classmethod
    def _commands(cls, value: str) -> str:
        parse_engine_commands(value)
        return value

    @property
    def programs(self) -> DockingPrograms:
        """The programs that are engines, or that engines need."""
        autogrid = "" if self.autogrid_command == NO_AUTOGRID else self.autogrid_command
        return DockingPrograms(parse_engine_commands(self.engine_commands), autogrid)


class Ledger(Group):
    """Allowances of the ledger: claims, heartbeats, dispatch and recovery."""

    heartbeat_interval_s: Seconds = Field(
        2.0, validation_alias="MAD_HEARTBEAT_INTERVAL_S", description="Seconds between two heartbeats of a slot."
    )
    worker_allowance_s: Seconds = Field(
        12.0,
        validation_alias="MAD_WORKER_ALLOWANCE_S",
        description="Seconds of silence after which a slot is taken for dead; at least 3 heartbeats.",
    )
    lease_s: Seconds = Field(
        5.0,
        validation_alias="MAD_LEASE_S",
        description="Seconds for which the leader's lease is valid; at least 2 reconciler rounds.",
    )
    dispatch_interval_s: Seconds = Field(
        0.25, validation_alias="MAD_DISPATCH_INTERVAL_S", description="Seconds between two rounds of the dispatcher."
    )
    reconcile_interval_s: Seconds = Field(
        1.0, validation_alias="MAD_RECONCILE_INTERVAL_S", description="Seconds between two rounds of the reconciler."
    )
    resend_after_s: Seconds = Field(
        15.0,
        validation_alias="MAD_RESEND_AFTER_S",
        description="Seconds after which a released task that nobody claimed is sent again.",
    )
    task_target_s: Seconds = Field(
        60.0, validation_alias="MAD_TASK_TARGET_S", description="CPU seconds that one docking task should take."
    )
    drain_grace_s: Seconds = Field(
        20.0,
        validation_alias="MAD_DRAIN_GRACE_S",
        description="Seconds that a stopping worker lets the current ligand go on.",
    )
    max_losses_per_ligand: Count = Field(
        4,
        validation_alias="MAD_MAX_LOSSES_PER_LIGAND",
        description="Losses of workers during one ligand after which its job asks for a person.",
    )
    pause_after_alike_failures: Count = Field(
        10,
        validation_alias="MAD_PAUSE_AFTER_ALIKE_FAILURES",
        description="Failures alike in a row, with no success, after which a job pauses with the reason.",
    )
    planning_window_tasks: Count = Field(
        2000,
        validation_alias="MAD_PLANNING_WINDOW_TASKS",
        description="Pending tasks of a job above which its planner waits.",
    )
    sweep_after_s: Seconds = Field(
        86_400.0,
        validation_alias="MAD_SWEEP_AFTER_S",
        description="Seconds after which what is deleted, and files that nothing refers to, are removed for good.",
    )

    @model_validator(mode="after")
    def _allowances_leave_room(self) -> Self:
        problems = []
        if self.worker_allowance_s < 3 * self.heartbeat_interval_s:
            problems.append("MAD_WORKER_ALLOWANCE_S must be at least three times MAD_HEARTBEAT_INTERVAL_S")
        if self.lease_s < 2 * self.reconcile_interval_s:
            problems.append("MAD_LEASE_S must be at least twice MAD_RECONCILE_INTERVAL_S")
        if problems:
            raise ValueError("; ".join(problems))
        return self


class Telemetry(Group):
    """Who is told how the processes are; see docs/how-to/operate/observe.md."""

    worker_metrics_port: int = Field(
        0,
        ge=0,
        le=65535,
        validation_alias="MAD_WORKER_METRICS_PORT",
        description="Port of a worker's `/metrics`, served by its companion process; 0 serves none.",
    )
    worker_metrics_host: Text = Field(
        "127.0.0.1",
        validation_alias="MAD_WORKER_METRICS_HOST",
        description="Address that a worker's `/metrics` binds to; no token guards it, and it holds no secrets.",
    )
    otlp_endpoint: Text | None = Field(
        None,
        validation_alias="OTEL_EXPORTER_OTLP_ENDPOINT",
        description="Collector of traces (OTLP over HTTP), such as `http://collector:4318`; when absent nothing is "
        "traced.",
    )
    service_name: Text | None = Field(
        None,
        validation_alias="OTEL_SERVICE_NAME",
        description="Name of all processes in traces; when absent `mad-api`, `mad-worker` and `mad-companion`.",
    )

    @field_validator("otlp_endpoint")
    @classmethod
    def _address(cls, value: str | None) -> str | None:
        if value is not None and not (urlsplit(value).scheme in {"http", "https"} and urlsplit(value).hostname):
            raise ValueError("must be the address of a collector, such as http://collector:4318")
        return value


class Flower(Group):
    """The queue's monitor."""

    port: Port = Field(5555, validation_alias="FLOWER_PORT", description="Port Flower listens on.")
    basic_auth: SecretStr | None = Field(
        None,
        validation_alias="FLOWER_BASIC_AUTH",
        description="`user:password` pairs, separated by commas, that may open Flower.",
    )

    @field_validator("basic_auth")
    @classmethod
    def _pairs(cls, value: SecretStr | None) -> SecretStr | None:
        for pair in value.get_secret_value().split(",") if value else ():
            user, colon, password = pair.partition(":")
            if not (user and colon and password):
                raise ValueError("must be user:password, several separated by commas")
        return value
