"""Asking for a person when workers were lost again and again over the same work."""

from collections.abc import Mapping

from molecular_analysis_dashboard.domain.identity import TenantScope
from molecular_analysis_dashboard.domain.jobs import ClaimedTask, EndCause, JobState
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.run_task import Stopped

REPEATED_LOSSES = "job.repeated_losses"


def ask_a_person(database: Database, task: ClaimedTask, sentence: str, facts: Mapping[str, object]) -> None:
    """Pause the job of a task, once for these facts: who resumes it has decided that it goes on.

    Raises
    ------
    Stopped
        When the job was paused now.
    """
    with database.begin(TenantScope(task.org_id)) as uow:
        asked = uow.jobs.has_event(task.job_id, REPEATED_LOSSES, facts)
        if not asked and uow.jobs.change_state(task.job_id, JobState.PAUSED, reason=sentence):
            uow.jobs.unreleased_tasks_to_pending(task.job_id)
            uow.jobs.add_event(task.job_id, REPEATED_LOSSES, facts)
        uow.commit()
    if not asked:
        raise Stopped(EndCause.YIELDED)
