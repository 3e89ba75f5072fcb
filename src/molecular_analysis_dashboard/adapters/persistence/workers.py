"""The register of workers: who lives, what they can run, how many slots they have.

All times are compared by the database's clock.
"""

from uuid import UUID

from sqlalchemy import bindparam, text
from sqlalchemy.dialects.postgresql import JSONB

from molecular_analysis_dashboard.adapters.persistence.rows import LIVE, Repository
from molecular_analysis_dashboard.domain.docking import KnownBuild
from molecular_analysis_dashboard.domain.jobs import Worker, WorkerView

_REGISTER = text(
    """
    INSERT INTO workers (
        id, host, pid, version, queues, engine_builds, scoring_functions, parameter_schemas, concurrency,
        beat_interval_s, software, state
    ) VALUES (
        :id, :host, :pid, :version, :queues, :engine_builds, :scoring_functions, :parameter_schemas, :concurrency,
        :beat_interval_s, :software, :state
    )
    ON CONFLICT (id) DO UPDATE SET heartbeat_at = clock_timestamp(), state = :state, ended_at = NULL
    """
).bindparams(*(bindparam(name, type_=JSONB) for name in ("scoring_functions", "parameter_schemas", "software")))

_VIEW = text(
    """
    SELECT w.queues, extract(epoch FROM clock_timestamp() - w.heartbeat_at)::float8 AS silent_s,
           w.state = 'draining' AS draining,
           w.concurrency > (SELECT count(*) FROM tasks r WHERE r.state = 'running' AND r.worker_id = w.id)
               AS has_free_slot,
           EXISTS (SELECT FROM tasks t WHERE t.state = 'released' AND t.queue = ANY (w.queues)) AS task_waits
    FROM workers w
    WHERE w.host = :host AND w.pid = :pid AND w.ended_at IS NULL
    ORDER BY w.started_at DESC LIMIT 1
    """
)

_RETIRE = text(
    """
    UPDATE workers SET state = 'gone', ended_at = clock_timestamp()
    WHERE ended_at IS NULL AND heartbeat_at < clock_timestamp() - make_interval(secs => :silent_s)
    RETURNING id
    """
)

_BUILDS = text(
    f"""
    SELECT build_id,
           coalesce(sum(concurrency) FILTER (WHERE 'dock.' || build_id = ANY (queues) AND {LIVE}), 0) AS live_slots,
           max(started_at) AS seen_at,
           (array_agg(scoring_functions -> build_id ORDER BY started_at DESC))[1] AS scoring_functions,
           (array_agg(parameter_schemas -> build_id ORDER BY started_at DESC))[1] AS parameter_schema
    FROM workers, unnest(engine_builds) AS build_id
    GROUP BY build_id
    ORDER BY 2 DESC, 3 DESC, 1
    """
)


class SqlWorkers(Repository):
    """Implements `ports.control.Workers`."""

    def register(self, worker: Worker) -> None:
        """Enter a worker that starts."""
        self.beat(worker, draining=False)

    def beat(self, worker: Worker, *, draining: bool) -> None:
        """Say that a worker lives; one that was given up as gone comes back."""
        self._connection.execute(
            _REGISTER,
            {
                "id": worker.id,
                "host": worker.host,
                "pid": worker.pid,
                "version": worker.version,
                "queues": list(worker.queues),
                "engine_builds": list(worker.engine_builds),
                "scoring_functions": dict(worker.scoring_functions),
                "parameter_schemas": dict(worker.parameter_schemas),
                "concurrency": worker.concurrency,
                "beat_interval_s": worker.beat_interval_s,
                "software": dict(worker.software),
                "state": "draining" if draining else "live",
            },
        )

    def ended(self, worker_id: UUID) -> None:
        """Note that a worker stopped by itself."""
        self._connection.execute(
            text("UPDATE workers SET state = 'stopped', ended_at = clock_timestamp() WHERE id = :id"),
            {"id": worker_id},
        )

    def view(self, host: str, pid: int) -> WorkerView | None:
        """Return the worker of this process, None if it is not registered or has ended."""
        row = self._connection.execute(_VIEW, {"host": host, "pid": pid}).one_or_none()
        if row is None:
            return None
        return WorkerView(frozenset(row.queues), row.silent_s, row.draining, row.has_free_slot, row.task_waits)

    def of_job(self, job_id: UUID) -> list[Worker]:
        """Return the workers that took tasks of a job, in the order in which they started."""
        rows = self._connection.execute(
            text(
                "SELECT id, host, pid, version, queues, engine_builds, concurrency, beat_interval_s, software "
                "FROM workers WHERE id IN (SELECT worker_id FROM attempts WHERE job_id = :job_id) "
                "ORDER BY started_at, id"
            ),
            {"job_id": job_id},
        ).mappings()
        return [
            Worker(**{**row, "queues": tuple(row["queues"]), "engine_builds": tuple(row["engine_builds"])})
            for row in rows
        ]

    def retire(self, *, silent_s: float) -> list[UUID]:
        """Note workers that fell silent as gone."""
        return list(self._connection.execute(_RETIRE, {"silent_s": silent_s}).scalars())

    def slots(self) -> dict[str, int]:
        """Return live slots per queue."""
        rows = self._connection.execute(
            text(
                f"SELECT queue, sum(concurrency) AS n FROM workers, unnest(queues) AS queue WHERE {LIVE} GROUP BY queue"
            )
        )
        return {row.queue: int(row.n) for row in rows}

    def engine_builds(self) -> list[KnownBuild]:
        """Return every engine build known with its live slots: those of live workers first, then the latest seen."""
        rows = self._connection.execute(_BUILDS)
        return [
            KnownBuild(
                row.build_id, int(row.live_slots), tuple(row.scoring_functions or ()), row.parameter_schema or {}
            )
            for row in rows
        ]
