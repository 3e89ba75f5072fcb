import time

import pytest

from molecular_analysis_dashboard.domain.errors import Conflict, ResourceLost
from molecular_analysis_dashboard.use_cases.persistence import persist


def test_finished_work_is_held_until_the_database_is_back() -> None:
    answers: list[Exception | str] = [ResourceLost("away"), ResourceLost("away"), "stored"]

    def store() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert persist(store, patience_s=10) == "stored"
    assert answers == []


def test_patience_ends() -> None:
    tries = 0

    def store() -> None:
        nonlocal tries
        tries += 1
        raise ResourceLost("away")

    started = time.monotonic()
    with pytest.raises(ResourceLost):
        persist(store, patience_s=0.1)
    assert tries >= 2
    assert time.monotonic() - started < 5


def test_other_errors_are_not_tried_again() -> None:
    tries = 0

    def store() -> None:
        nonlocal tries
        tries += 1
        raise Conflict("no")

    with pytest.raises(Conflict):
        persist(store, patience_s=10)
    assert tries == 1
