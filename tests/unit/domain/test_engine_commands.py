import pytest

from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort
from molecular_analysis_dashboard.domain.engine_commands import parse_engine_commands, preferred_scoring
from molecular_analysis_dashboard.domain.engine_parameters import first_unsupported

SCHEMA = {
    "type": "object",
    "properties": {
        "exhaustiveness": {"minimum": 1, "maximum": 64},
        "n_poses": {"const": 3},
        "energy_range_kcal_mol": {"exclusiveMinimum": 1},
        "seed": {"enum": [1, 42]},
    },
}


@pytest.mark.parametrize(
    ("text", "commands"),
    [
        ("", {}),
        ("smina=/opt/smina", {"smina": ("/opt/smina",)}),
        ("one=/opt/x; two=gnina --cpu 1 ;", {"one": ("/opt/x",), "two": ("gnina", "--cpu", "1")}),
        ("a_2='/opt/with space/vina' --spacing=0.5", {"a_2": ("/opt/with space/vina", "--spacing=0.5")}),
    ],
)  # fmt: skip
def test_programs_are_read_with_their_arguments(text: str, commands: dict[str, tuple[str, ...]]) -> None:
    assert parse_engine_commands(text) == commands


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("/opt/smina", "name=program"),
        ("smina=", "name=program"),
        ("=/opt/smina", "lower-case"),
        ("Smina=/opt/smina", "lower-case"),
        ("vina-1=/opt/vina", "lower-case"),
        ("vina=/usr/bin/vina", "taken"),
        ("a=/x; a=/y", "taken"),
        ("a='/x", "cannot be read"),
    ],
)
def test_programs_that_cannot_be_read_are_refused(text: str, complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        parse_engine_commands(text)


@pytest.mark.parametrize(
    "protocol",
    [
        DockingProtocol(),
        DockingProtocol(effort=SearchEffort(exhaustiveness=64)),
        DockingProtocol(energy_range_kcal_mol=1.5),
        DockingProtocol(engine="other", scoring="other"),
    ],
)
def test_protocol_within_the_schema_passes(protocol: DockingProtocol) -> None:
    assert first_unsupported(SCHEMA, protocol) is None


@pytest.mark.parametrize(
    ("protocol", "field", "why"),
    [
        (DockingProtocol(effort=SearchEffort(exhaustiveness=65)), "exhaustiveness", "at most 64"),
        (DockingProtocol(effort=SearchEffort(exhaustiveness=0)), "exhaustiveness", "at least 1"),
        (DockingProtocol(n_poses=4), "n_poses", "must be 3"),
        (DockingProtocol(energy_range_kcal_mol=1), "energy_range_kcal_mol", "above 1"),
        (DockingProtocol(seed=7), "seed", "1 or 42"),
        # Not named: the engine does not read it.
        (DockingProtocol(min_rmsd_angstrom=2), "min_rmsd_angstrom", "leave it at 1.0"),
    ],
)
def test_field_that_the_engine_does_not_offer_is_named(protocol: DockingProtocol, field: str, why: str) -> None:
    problem = first_unsupported(SCHEMA, protocol)

    assert problem is not None
    assert problem.field == field
    assert why in problem.message


@pytest.mark.parametrize(
    ("offered", "preferred"),
    [(["vina", "vinardo"], "vina"), (["ad4", "vina", "vinardo"], "vina"), (["ad4"], "ad4"), ([], None)],
)
def test_scoring_that_needs_autogrid_is_the_default_of_no_engine_that_has_another(
    offered: list[str], preferred: str | None
) -> None:
    assert preferred_scoring(offered) == preferred
