from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from threading import Event
from types import SimpleNamespace
from typing import cast

import pytest
import structlog
from structlog.testing import capture_logs
from tests.support.counted import Counted

from molecular_analysis_dashboard.domain.errors import ResourceLost
from molecular_analysis_dashboard.domain.identity import Scope, new_id
from molecular_analysis_dashboard.domain.jobs import BeatAnswer, ClaimedTask, TaskKind
from molecular_analysis_dashboard.ports.unit_of_work import Database
from molecular_analysis_dashboard.use_cases.heartbeat import Heartbeat, Watch

TASK = ClaimedTask(new_id(), new_id(), new_id(), TaskKind.DOCK, 1, ())


class Drain:
    """Drains when told to."""

    def __init__(self) -> None:
        self.left: float | None = None

    def seconds_left(self) -> float | None:
        return self.left


class HandWake:
    """Lets the heart beat when the test says so, and waits until it has."""

    def __init__(self) -> None:
        self._ticks: SimpleQueue[bool] = SimpleQueue()
        self._waiting = Event()

    def wait(self, timeout_s: float) -> bool:
        del timeout_s
        self._waiting.set()
        return self._ticks.get()

    def send(self) -> None:
        """Wake it, and let it act on that."""
        self._tick(woken=True)

    def pass_time(self) -> None:
        """Let its interval pass unwoken."""
        self._tick(woken=False)

    def _tick(self, *, woken: bool) -> None:
        assert self._waiting.wait(10)
        self._waiting.clear()
        self._ticks.put(woken)
        assert self._waiting.wait(10)


@dataclass
class ScriptedLedger:
    """Answers beats as the script says, the last answer for ever."""

    script: list[BeatAnswer | Exception]
    beats: list[dict[str, object]] = field(default_factory=list)

    @contextmanager
    def begin(self, scope: Scope) -> Iterator[object]:
        del scope
        yield SimpleNamespace(ledger=self, commit=lambda: None)

    def beat(self, task: ClaimedTask, **facts: object) -> BeatAnswer:
        assert task is TASK
        self.beats.append(facts)
        answer = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


@dataclass
class Rig:
    """A heartbeat under a test's control."""

    wake: HandWake
    drain: Drain
    ledger: ScriptedLedger
    heartbeat: Heartbeat
    idle_ends: list[None]
    counted: Counted
    kills: list[None] = field(default_factory=list)


def rig(*script: BeatAnswer | Exception) -> Rig:
    """Make a heart whose first beat, at the start of a task, is agreed to; the script answers those that follow."""
    wake, drain = HandWake(), Drain()
    ledger = ScriptedLedger([BeatAnswer.GO_ON, *(script or [BeatAnswer.GO_ON])])
    idle_ends: list[None] = []
    counted = Counted()
    heartbeat = Heartbeat(
        cast(Database, ledger),
        wake,
        drain,
        interval_s=2.0,
        yield_after_s=2.0,
        end_idle_engine=lambda: idle_ends.append(None),
        telemetry=counted.telemetry,
    )
    heartbeat.start()
    return Rig(wake, drain, ledger, heartbeat, idle_ends, counted)


def watch(rig: Rig) -> AbstractContextManager[Watch]:
    return rig.heartbeat.watching(TASK, lambda: rig.kills.append(None))


def test_work_goes_on_while_the_ledger_agrees() -> None:
    r = rig()
    with watch(r) as watched:
        watched.n_scored, watched.n_rejected, watched.may_yield = 3, 1, True
        r.wake.send()
        assert not watched.must_stop
    assert r.ledger.beats[1:] == [{"n_scored": 3, "n_rejected": 1, "may_yield": True, "yield_after_s": 2.0}]
    assert r.kills == []


def test_task_cancelled_between_its_claim_and_its_start_is_stopped_without_a_wake() -> None:
    r = rig()
    r.ledger.script = [BeatAnswer.CANCELLED]
    with watch(r) as watched:
        assert watched.must_stop
        assert (watched.answer, len(r.kills)) == (BeatAnswer.CANCELLED, 1)


def test_cancel_ends_an_engine_that_is_between_two_tasks() -> None:
    r = rig()
    r.wake.pass_time()
    assert r.idle_ends == []
    r.wake.send()
    assert len(r.idle_ends) == 1


def test_cancel_of_another_job_leaves_a_working_engine_alone() -> None:
    r = rig()
    with watch(r):
        r.wake.send()
    assert (r.idle_ends, r.kills) == ([], [])


@pytest.mark.parametrize("answer", [BeatAnswer.CANCELLED, BeatAnswer.SUPERSEDED])
def test_engine_is_killed_when_the_task_is_taken_away(answer: BeatAnswer) -> None:
    r = rig(answer)
    with watch(r) as watched:
        r.wake.send()
        assert watched.must_stop
        assert (watched.answer, watched.killed, len(r.kills)) == (answer, True, 1)


def test_task_is_kept_when_another_slot_has_yielded_meanwhile() -> None:
    r = rig(BeatAnswer.YIELD, BeatAnswer.GO_ON)
    with watch(r) as watched:
        r.wake.send()
        assert not watched.must_stop
        assert watched.answer is BeatAnswer.GO_ON


def test_yield_lets_the_ligand_finish() -> None:
    r = rig(BeatAnswer.YIELD)
    with watch(r) as watched:
        r.wake.send()
        assert watched.must_stop
        assert (watched.answer, watched.killed) == (BeatAnswer.YIELD, False)


def test_cancel_overrules_yield_and_nothing_overrules_cancel() -> None:
    r = rig(BeatAnswer.YIELD, BeatAnswer.CANCELLED, BeatAnswer.SUPERSEDED)
    with watch(r) as watched:
        for expected in (BeatAnswer.YIELD, BeatAnswer.CANCELLED, BeatAnswer.CANCELLED):
            r.wake.send()
            assert watched.answer is expected


def test_drain_is_seen_at_the_next_ligand_before_any_beat() -> None:
    r = rig()
    with watch(r) as watched:
        r.drain.left = 30.0
        assert watched.must_stop
        assert (watched.answer, watched.killed) == (BeatAnswer.DRAINING, False)


def test_engine_that_outlasts_the_grace_is_killed() -> None:
    r = rig()
    with watch(r) as watched:
        r.drain.left = 1.0
        r.wake.send()
        assert r.kills == []
        r.drain.left = -0.1
        r.wake.send()
        assert (watched.answer, len(r.kills)) == (BeatAnswer.DRAINING, 1)


def test_draining_slot_does_not_yield() -> None:
    r = rig(BeatAnswer.YIELD)
    with watch(r) as watched:
        r.drain.left = 30.0
        r.wake.send()
        assert watched.answer is BeatAnswer.DRAINING


def test_work_goes_on_while_the_database_is_away() -> None:
    r = rig(ResourceLost("away"), BeatAnswer.GO_ON)
    with watch(r) as watched:
        r.wake.send()
        assert not watched.must_stop
        r.wake.send()
    assert len(r.ledger.beats) == 3
    assert r.counted.told == ["beat failed"]


def test_lines_of_the_heart_name_the_task() -> None:
    r = rig(ResourceLost("away"))
    with capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines, watch(r):
        r.wake.send()
    (line,) = [line for line in lines if line["event"] == "beat.failed"]
    assert TASK.ids.items() <= line.items()


def test_heart_beats_on_after_a_defect() -> None:
    r = rig(RuntimeError("a defect"), BeatAnswer.CANCELLED)
    with watch(r) as watched:
        r.wake.send()
        r.wake.send()
        assert watched.answer is BeatAnswer.CANCELLED
    assert r.counted.told == ["beat failed"]


def test_task_that_is_over_cannot_have_the_engine_killed() -> None:
    r = rig(BeatAnswer.SUPERSEDED)
    with watch(r) as watched:
        pass
    r.wake.send()
    watched.react(BeatAnswer.SUPERSEDED, kill=True)
    assert (r.kills, watched.killed, len(r.ledger.beats)) == ([], False, 1)
