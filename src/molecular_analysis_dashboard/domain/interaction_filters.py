"""Asking for interactions: "H-bond to A:GLU80, and any of three others, at most one missing"."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from molecular_analysis_dashboard.domain.analyses import InteractionType
from molecular_analysis_dashboard.domain.errors import InvalidInput

MAX_CONDITIONS, MAX_TERMS = 20, 20
# Words for several types at once; what a chemist asks for seldom depends on which side gives the hydrogen.
GROUPS: Mapping[str, tuple[InteractionType, ...]] = {
    "HBond": (InteractionType.HB_DONOR, InteractionType.HB_ACCEPTOR),
    "Halogen": (InteractionType.XB_DONOR, InteractionType.XB_ACCEPTOR),
    "Ionic": (InteractionType.CATIONIC, InteractionType.ANIONIC),
    "PiStacking": (InteractionType.FACE_TO_FACE, InteractionType.EDGE_TO_FACE),
    "CationOrPi": (InteractionType.CATION_PI, InteractionType.PI_CATION),
    "Metal": (InteractionType.METAL_ACCEPTOR,),
    "Any": tuple(InteractionType),
}
_WORDS = {kind.casefold(): (kind,) for kind in InteractionType} | {
    name.casefold(): kinds for name, kinds in GROUPS.items()
}
_CONDITION = re.compile(r"(?:(?P<least>\d{1,2}) of )?(?P<terms>\S.*)")
_RESIDUE = re.compile(r"[^:@,\s]?:[A-Za-z0-9]{1,4}?-?\d{1,4}[A-Za-z]?")


@dataclass(frozen=True)
class InteractionTerm:
    """An interaction of any of these types with one residue."""

    types: tuple[InteractionType, ...]
    residue: str


@dataclass(frozen=True)
class InteractionCondition:
    """At least so many of these terms."""

    terms: tuple[InteractionTerm, ...]
    least: int = 1


@dataclass(frozen=True)
class InteractionFilter:
    """Conditions on the best pose, of which so many may be missing; without conditions it filters nothing."""

    conditions: tuple[InteractionCondition, ...] = ()
    max_missing: int = 0


def interaction_filter(texts: Sequence[str], max_missing: int) -> InteractionFilter:
    """Read conditions such as ``HBond@A:GLU80`` or ``2 of HBond@A:LEU83,Hydrophobic@A:VAL18,Any@A:PHE80``.

    Raises
    ------
    InvalidInput
        With code ``invalid_interaction_filter``, the part that cannot be read and what it should look like.
    """
    if len(texts) > MAX_CONDITIONS:
        raise _invalid(f"There are {len(texts)} conditions; at most {MAX_CONDITIONS} are possible.", "")
    if texts and max_missing >= len(texts):
        raise _invalid(f"Of {len(texts)} condition(s) at most {len(texts) - 1} may be missing.", str(max_missing))
    return InteractionFilter(tuple(_condition(text) for text in texts), max_missing)


def _condition(text: str) -> InteractionCondition:
    match = _CONDITION.fullmatch(text.strip())
    if match is None:
        raise _invalid("A condition is TYPE@RESIDUE, or several joined by commas.", text)
    terms = tuple(dict.fromkeys(_term(part.strip()) for part in match["terms"].split(",")))
    least = int(match["least"] or 1)
    if len(terms) > MAX_TERMS:
        raise _invalid(f"A condition has at most {MAX_TERMS} terms.", text)
    if not 1 <= least <= len(terms):
        raise _invalid(f"Of {len(terms)} different term(s) between 1 and {len(terms)} can be asked for.", text)
    return InteractionCondition(terms, least)


def _term(text: str) -> InteractionTerm:
    word, _, residue = text.partition("@")
    types = _WORDS.get(word.casefold())
    if types is None:
        known = ", ".join([*InteractionType, *GROUPS])
        raise _invalid(f"There is no interaction “{word[:40]}”; there are {known}.", text)
    if not _RESIDUE.fullmatch(residue):
        raise _invalid("A residue is CHAIN:NAMENUMBER, such as A:GLU80, or A:SER100B with an insertion code.", text)
    chain, _, rest = residue.partition(":")
    return InteractionTerm(types, f"{chain}:{rest.upper()}")


def _invalid(sentence: str, part: str) -> InvalidInput:
    return InvalidInput(sentence, code="invalid_interaction_filter", part=part[:200])
