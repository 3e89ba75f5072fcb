"""The tables of `make bench-dock`, out of made-up measurements."""

from benchmarks.docking_runs import Measured
from benchmarks.docking_table import BASE, DEEP, table
from benchmarks.whole_products import Whole, whole_table


def rows() -> list[Measured]:
    found = []
    for number, torsions in enumerate((3, 7, 12, 13), 1):
        pair, best = f"T/{number}", -10.0 + number
        found += [
            Measured(pair, torsions, BASE, 1, 40.0, best, best),
            Measured(pair, torsions, "ours", 1, 8.0, best + 0.1, best + 0.1),
            Measured(pair, torsions, "ours", 2, 12.0, best + 0.5, best + 0.5),
        ]
    return [*found, Measured("T/1", 3, DEEP, 1, 160.0, -9.2, -9.2)]


def line(lines: list[str], name: str, nth: int = 0) -> list[str]:
    return [text.split() for text in lines if text.startswith(name)][nth]


def test_table_compares_pairs_that_both_sides_docked() -> None:
    found = line(table(rows(), {}), "ours")

    assert found[:4] == ["ours", "4", "10.00", "4.00"]
    assert found[4:8] == ["+0.300", "+-", "0.000", "0.50"]
    assert found[8:12] == ["+0.500", "+-", "nan", "1"]
    # Of eight dockings, those at +0.1 lie within 0.3 of the best, but for the pair whose best is that of 32.
    assert found[12] == "0.50"
    assert found[13] == "1.000"


def test_maps_that_are_made_once_are_shared_out() -> None:
    assert line(table(rows(), {"ours": 8.0}), "ours")[2:4] == ["12.00", "3.33"]


def test_flexible_ligands_have_a_table_of_their_own() -> None:
    lines = table(rows(), {})

    assert line(lines, "ours", 1)[1] == "2"
    assert not [text for text in table([row for row in rows() if row.torsions < 10], {}) if "torsions and more" in text]


def test_whole_products_are_compared_on_the_same_ligands() -> None:
    rows = [
        Whole("easydock 8", "T", 1, ("a", "b"), 60.0, {"a": -7.0, "b": -9.0}),
        Whole("standard", "T", 1, ("a", "b"), 12.0, {"a": -7.0}),
        Whole("standard", "T", 1, ("a", "b", "c"), 90.0, {"a": -7.0, "b": -9.0, "c": -5.0}),
    ]
    lines = whole_table(rows, "easydock 8")

    assert line(lines, "easydock")[2:] == ["2", "2", "30.00", "1.00", "-8.00"]
    # Ligands that only one side docked count for its mean, and for no ratio.
    assert line(lines, "standard")[1:] == ["5", "4", "20.40", "5.00", "-7.00"]


def test_product_without_a_partner_has_no_ratio() -> None:
    lines = whole_table([Whole("standard", "T", 1, ("a",), 12.0, {})], "easydock 8")
    assert line(lines, "standard")[1:] == ["1", "0", "12.00", "nan", "nan"]


def test_it_tells_what_convergence_is_worth() -> None:
    sure = [Measured("T/1", 3, "ours", seed, 8.0, score, score, True) for seed, score in ((1, -9.0), (2, -8.5))]
    unsure = Measured("T/1", 3, "ours", 3, 8.0, -8.1, -8.1, False)
    deep = Measured("T/1", 3, DEEP, 1, 160.0, -9.1, -9.1)
    lines = table([*sure, unsure, deep], {})
    assert "ours: 2 converged, 50% within 0.3 of the best known, worst 0.60" in lines
    assert "ours: 1 not converged, 0% within 0.3 of the best known, worst 1.00" in lines


def test_a_search_that_cannot_tell_is_not_counted() -> None:
    assert not [line for line in table(rows(), {}) if "converged" in line]
