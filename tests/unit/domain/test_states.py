import re
from itertools import product

import pytest

from molecular_analysis_dashboard.domain.errors import Conflict
from molecular_analysis_dashboard.domain.jobs import (
    FINAL_JOB_STATES,
    FINAL_TASK_STATES,
    JOB_CHANGES,
    TASK_AFTER,
    TASK_CHANGES,
    WORKING_JOB_STATES,
    EndCause,
    JobState,
    TaskState,
    check_job_change,
    sources_of,
    task_sources_of,
)

# Written out a second time on purpose: whoever changes a table has to say so here as well.
ALLOWED_JOB_CHANGES = {
    ("planning", "running"),
    ("planning", "paused"),
    ("planning", "cancelling"),
    ("planning", "completed"),
    ("planning", "failed"),
    ("running", "paused"),
    ("running", "cancelling"),
    ("running", "completed"),
    ("running", "failed"),
    ("paused", "running"),
    ("paused", "cancelling"),
    ("paused", "completed"),
    ("paused", "failed"),
    ("cancelling", "cancelled"),
}
ALLOWED_TASK_CHANGES = {
    ("pending", "released"),
    ("pending", "running"),
    ("pending", "cancelled"),
    ("released", "pending"),
    ("released", "running"),
    ("released", "cancelled"),
    ("running", "done"),
    ("running", "failed"),
    ("running", "pending"),
    ("running", "cancelled"),
}


@pytest.mark.parametrize(("current", "target"), list(product(JobState, JobState)))
def test_job_changes_exactly_as_the_table_says(current: JobState, target: JobState) -> None:
    if (current, target) in ALLOWED_JOB_CHANGES:
        check_job_change(current, target)
        return
    with pytest.raises(Conflict) as refused:
        check_job_change(current, target)
    assert refused.value.error_code == "job_state"
    assert refused.value.details == {"state": current, "wanted": target}


@pytest.mark.parametrize(
    ("current", "target", "sentence"),
    [
        (JobState.COMPLETED, JobState.CANCELLING, "This job has ended (completed); there is nothing to cancel."),
        (JobState.FAILED, JobState.PAUSED, "This job has ended (failed); there is nothing to pause."),
        (JobState.CANCELLED, JobState.RUNNING, "This job has ended (cancelled); there is nothing to resume."),
        (JobState.CANCELLING, JobState.PAUSED, "This job is being cancelled; it can no longer be paused."),
    ],
)
def test_a_refused_change_is_told_in_the_user_s_words(current: JobState, target: JobState, sentence: str) -> None:
    with pytest.raises(Conflict, match=re.escape(sentence)):
        check_job_change(current, target)


@pytest.mark.parametrize(("current", "target"), list(product(TaskState, TaskState)))
def test_task_changes_exactly_as_the_table_says(current: TaskState, target: TaskState) -> None:
    assert (target in TASK_CHANGES[current]) is ((current, target) in ALLOWED_TASK_CHANGES)


def test_tables_name_every_state() -> None:
    assert JOB_CHANGES.keys() == set(JobState)
    assert TASK_CHANGES.keys() == set(TaskState)


def test_final_states_are_those_that_nothing_leaves() -> None:
    assert {JobState.COMPLETED, JobState.FAILED, JobState.CANCELLED} == FINAL_JOB_STATES
    assert {TaskState.DONE, TaskState.FAILED, TaskState.CANCELLED} == FINAL_TASK_STATES


def test_every_state_is_one_step_from_its_end_at_most() -> None:
    assert all(state in FINAL_JOB_STATES or JOB_CHANGES[state] & FINAL_JOB_STATES for state in JobState)
    assert all(state in FINAL_TASK_STATES or TASK_CHANGES[state] & FINAL_TASK_STATES for state in TaskState)


def test_work_is_only_taken_from_jobs_that_are_not_held_or_ending() -> None:
    assert {JobState.PLANNING, JobState.RUNNING} == WORKING_JOB_STATES


@pytest.mark.parametrize("cause", list(EndCause))
def test_end_of_an_attempt_moves_its_running_task_by_an_allowed_change(cause: EndCause) -> None:
    assert TASK_AFTER[cause] in TASK_CHANGES[TaskState.RUNNING]


@pytest.mark.parametrize("cause", [EndCause.LOST, EndCause.DRAINED, EndCause.YIELDED])
def test_task_that_was_given_back_waits_again(cause: EndCause) -> None:
    assert TASK_AFTER[cause] is TaskState.PENDING


@pytest.mark.parametrize("target", list(JobState))
def test_sources_of_a_job_state_are_the_inverse_of_its_changes(target: JobState) -> None:
    assert sources_of(target) == {state for state in JobState if target in JOB_CHANGES[state]}
    assert target not in sources_of(target)


@pytest.mark.parametrize("target", list(TaskState))
def test_sources_of_a_task_state_are_the_inverse_of_its_changes(target: TaskState) -> None:
    assert task_sources_of(target) == {state for state in TaskState if target in TASK_CHANGES[state]}
