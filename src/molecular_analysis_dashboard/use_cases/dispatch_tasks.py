"""The dispatcher: releases waiting tasks to the broker in fair order, never more than twice the live slots."""

from dataclasses import replace

import structlog

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import SystemScope
from molecular_analysis_dashboard.domain.jobs import ReleasedTask
from molecular_analysis_dashboard.domain.scheduling import richest, share_out
from molecular_analysis_dashboard.ports.queue import TaskQueue
from molecular_analysis_dashboard.ports.unit_of_work import Database, UnitOfWork

log = structlog.get_logger(__name__)

IN_FLIGHT_PER_SLOT = 2


class DispatchTasks:
    """One round of the dispatcher."""

    def __init__(self, database: Database, queue: TaskQueue) -> None:
        self._database = database
        self._queue = queue

    def __call__(self) -> int:
        """Release and send what there is room for; return how many tasks were sent."""
        if self._queue.lost_everything():
            self._take_back_everything()
        released = self._release()
        for position, task in enumerate(released):
            try:
                self._queue.send(task)
            except ResourceLost:
                self._take_back(released[position:])
                raise
        return len(released)

    def _release(self) -> list[ReleasedTask]:
        released: list[ReleasedTask] = []
        with self._database.begin(SystemScope()) as uow:
            if not uow.dispatch.try_lock():
                return released
            slots, in_flight = uow.workers.slots(), uow.dispatch.in_flight()
            for queue in uow.dispatch.pending_queues():
                limit = IN_FLIGHT_PER_SLOT * slots.get(queue, 0)
                if limit:
                    released += self._release_queue(uow, queue, limit - in_flight.get(queue, 0))
            uow.commit()
        return released

    def _release_queue(self, uow: UnitOfWork, queue: str, capacity: int) -> list[ReleasedTask]:
        demands = uow.dispatch.demands(queue)
        idle_jobs = {demand.job_id for demand in demands if demand.in_flight == 0}
        if capacity <= 0 and idle_jobs:
            # Every place is taken while a job has none: the one with most gives up a message that still waits.
            capacity = uow.dispatch.recall(queue, richest(demands))
        released = []
        for job_id in share_out(capacity, demands):
            for task in uow.dispatch.release(queue, job_id, 1):
                # The first task of a job without any in flight goes past messages that wait.
                released.append(replace(task, overtakes=job_id in idle_jobs))
            idle_jobs.discard(job_id)
        return released

    def _take_back(self, tasks: list[ReleasedTask]) -> None:
        log.warning("dispatch.not_sent", tasks=len(tasks))
        with self._database.begin(SystemScope()) as uow:
            uow.dispatch.take_back([task.id for task in tasks])
            uow.commit()

    def _take_back_everything(self) -> None:
        with self._database.begin(SystemScope()) as uow:
            lost = uow.dispatch.take_back_lost(older_than_s=0.0, only_if_idle=False)
            uow.commit()
        if lost:
            log.warning("dispatch.broker_lost_messages", tasks=len(lost))
