import pytest

from molecular_analysis_dashboard.domain.hashing import MAX_SEED
from molecular_analysis_dashboard.domain.redocking import (
    MissCause,
    NativeScore,
    PoseMeasure,
    RedockingRun,
    RedockingVerdict,
    Verdict,
    run_seeds,
)
from molecular_analysis_dashboard.domain.rejections import RejectionReason


def run(*rmsds: float, score: float = -7.0, native: NativeScore | None = None, number: int = 1) -> RedockingRun:
    poses = tuple(PoseMeasure(rank, score + rank - 1, rmsd) for rank, rmsd in enumerate(rmsds, 1))
    return RedockingRun(number, 41 + number, poses, native or NativeScore())


REJECTED = RedockingRun(3, 44, reason=RejectionReason.NO_POSE, message="No pose.")


@pytest.mark.parametrize(
    ("runs", "verdict"),
    [
        ([run(0.1)], Verdict.GREEN),
        ([run(2.0), run(1.0), run(0.5, 9.0)], Verdict.GREEN),
        ([run(2.001), run(1.0)], Verdict.AMBER),
        ([run(5.0, 2.0)], Verdict.AMBER),
        ([run(1.0), REJECTED], Verdict.AMBER),
        ([run(2.001, 2.001)], Verdict.RED),
        ([run(5.0), run(6.0, 7.0)], Verdict.RED),
        ([REJECTED], Verdict.RED),
        ([], Verdict.RED),
    ],
)
def test_verdict_follows_the_written_rule(runs: list[RedockingRun], verdict: Verdict) -> None:
    assert RedockingVerdict.of(runs).verdict is verdict


def test_sentence_says_how_many_and_why() -> None:
    missed = run(5.0, native=NativeScore(-5.0, -8.0, 0.3))

    sentence = RedockingVerdict.of([run(1.0), missed, REJECTED]).sentence

    assert sentence == (
        "The native pose came first in 1 of 3 runs and is among the kept poses of 1. In 1 of 3 runs the native pose "
        "scores better than what was found, so the search missed it: raise the effort. 1 of 3 runs gave no pose: "
        "No pose."
    )


@pytest.mark.parametrize(
    ("native", "cause"),
    [
        (NativeScore(-7.2), MissCause.SEARCH),
        (NativeScore(-5.0, -7.2, 0.5), MissCause.SEARCH),
        (NativeScore(-5.0, -6.0, 0.5), MissCause.SCORING),
        # What relaxed away from the crystal is no native pose; in place alone a clash may hide a good score.
        (NativeScore(-5.0, -9.0, 2.5), MissCause.SCORING),
        (NativeScore(-5.0), MissCause.UNDECIDED),
        (NativeScore(-5.0, -7.05, 0.5), MissCause.UNDECIDED),
        (NativeScore(-5.0, -6.95, 0.5), MissCause.UNDECIDED),
        (NativeScore(message="Outside the box."), MissCause.UNDECIDED),
    ],
)
def test_cause_of_a_miss_comes_from_the_scores(native: NativeScore, cause: MissCause) -> None:
    assert run(5.0, score=-7.0, native=native).miss is cause


def test_no_cause_where_nothing_was_missed() -> None:
    assert run(1.0, native=NativeScore(-9.0)).miss is None
    assert RedockingRun(1, 42).miss is None
    assert REJECTED.miss is MissCause.NOT_DOCKED


def test_seeds_follow_the_protocol_s_and_are_never_zero() -> None:
    assert run_seeds(42, 3) == (42, 43, 44)
    assert run_seeds(MAX_SEED, 3) == (MAX_SEED, 1, 2)
