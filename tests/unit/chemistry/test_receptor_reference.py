"""The reference page names every option, note and refusal of receptor preparation."""

import re
from dataclasses import fields
from pathlib import Path

from molecular_analysis_dashboard.adapters import chemistry
from molecular_analysis_dashboard.domain.receptors import ReceptorOptions, WaterPolicy

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "receptor-preparation.md").read_text()
SOURCES = [path.read_text() for path in Path(chemistry.__file__).parent.glob("*.py")]
NOTE = re.compile(r'\b(?:book\.(?:change|problem|note|whole)|ResidueNote)\([^"]*"([a-z_]+)"')
ELSEWHERE = {"kept", "removed"}


def test_every_note_is_explained() -> None:
    codes = {code for source in SOURCES for code in NOTE.findall(source)} | ELSEWHERE
    assert {"chain_break", "left_out", "pka", "protonation_failed", "no_polar_hydrogens"} <= codes
    assert [code for code in sorted(codes) if f"`{code}`" not in PAGE] == []


def test_no_note_is_explained_that_nobody_writes() -> None:
    table = PAGE.partition("| action |")[2].partition("\n\n")[0]
    told = {code for line in table.splitlines() for code in re.findall(r"`([a-z_]+)`", line.partition(" | ")[0])}
    assert told == {code for source in SOURCES for code in NOTE.findall(source)} | ELSEWHERE


def test_every_option_is_explained() -> None:
    names = [field.name for field in fields(ReceptorOptions)] + [str(policy) for policy in WaterPolicy]
    assert [name for name in names if f"`{name}`" not in PAGE] == []
