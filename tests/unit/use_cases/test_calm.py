from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from molecular_analysis_dashboard.use_cases.reconcile import Calm

ALLOWANCE_S = 12.0
STARTED = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Machine:
    """Time as a test wants it."""

    now_s: float = 1000.0
    slept_s: float = 50.0

    def calm(self) -> Calm:
        return Calm(ALLOWANCE_S, now=lambda: self.now_s, slept=lambda: self.slept_s)

    def watch(self, calm: Calm, seconds: int, *, started: datetime = STARTED) -> list[bool]:
        """Look once per second; return what each look said."""
        answers = []
        for _ in range(seconds):
            self.now_s += 1.0
            answers.append(calm.look(started))
        return answers


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_nobody_is_declared_dead_before_one_full_allowance(machine: Machine) -> None:
    # The first look is where the server's start is seen for the first time.
    assert machine.watch(machine.calm(), 13) == [False] * 12 + [True]


def test_restarted_postgres_starts_the_allowance_anew(machine: Machine) -> None:
    calm = machine.calm()
    assert machine.watch(calm, 20)[-1]
    later = STARTED + timedelta(hours=1)
    assert machine.watch(calm, 13, started=later) == [False] * 12 + [True]


def test_change_of_leader_starts_the_allowance_anew(machine: Machine) -> None:
    calm = machine.calm()
    assert machine.watch(calm, 20)[-1]
    calm.disturb()
    assert machine.watch(calm, 12) == [False] * 11 + [True]


def test_pause_of_this_process_starts_the_allowance_anew(machine: Machine) -> None:
    calm = machine.calm()
    assert machine.watch(calm, 20)[-1]
    machine.now_s += ALLOWANCE_S
    assert machine.watch(calm, 13) == [False] * 12 + [True]


def test_sleeping_laptop_starts_the_allowance_anew(machine: Machine) -> None:
    calm = machine.calm()
    assert machine.watch(calm, 20)[-1]
    machine.slept_s += 3600.0
    assert machine.watch(calm, 13) == [False] * 12 + [True]


def test_short_hiccup_does_not(machine: Machine) -> None:
    calm = machine.calm()
    assert machine.watch(calm, 20)[-1]
    machine.now_s += ALLOWANCE_S / 2 - 1.0
    assert machine.watch(calm, 1) == [True]


def test_quiet_machine_stays_calm(machine: Machine) -> None:
    calm = machine.calm()
    machine.watch(calm, 13)
    assert all(machine.watch(calm, 100))
