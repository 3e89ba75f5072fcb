"""Which fields of a protocol an engine offers: its JSON schema against what a protocol asks for."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from molecular_analysis_dashboard.domain.docking import DockingProtocol, SearchEffort

# Engine and scoring function are checked by names.
_CHECKED_ELSEWHERE = ("engine", "scoring")
# Ligands are prepared and poses analysed alike for all engines, and an engine searches one round.
_NOT_ITS_OWN = ("ligands", "analyses", "max_rounds", "agreeing_rounds")


@dataclass(frozen=True)
class Unsupported:
    """A field of a protocol that an engine does not offer so, and why in one sentence."""

    field: str
    message: str


def parameters_of(protocol: DockingProtocol) -> dict[str, Any]:
    """Return what a protocol asks of its engine, by field; the search effort's fields stand among the others."""
    fields = asdict(protocol)
    fields |= fields.pop("effort")
    return {name: value for name, value in fields.items() if name not in (*_CHECKED_ELSEWHERE, *_NOT_ITS_OWN)}


def first_unsupported(schema: Mapping[str, Any], protocol: DockingProtocol) -> Unsupported | None:
    """Return the first field of a protocol that an engine with this schema does not offer so, if there is one.

    A field that the schema does not name is not read by the engine: it may only have its default.
    """
    offered: Mapping[str, Mapping[str, Any]] = schema.get("properties", {})
    defaults, plain = parameters_of(DockingProtocol()), parameters_of(DockingProtocol(effort=SearchEffort()))
    for field, value in parameters_of(protocol).items():
        if field in offered:
            problem = _outside(value, offered[field])
        else:
            problem = (
                None
                if value in (defaults[field], plain[field])
                else f"cannot be chosen, so leave it at {_told(plain[field])}"
            )
        if problem:
            engine = f"The engine {protocol.engine} with the scoring function {protocol.scoring}"
            return Unsupported(field, f"{engine} cannot follow {field} = {_told(value)}: there it {problem}.")
    return None


def _told(value: object) -> object:
    """Return a value as a sentence has it."""
    return (", ".join(map(str, value)) or "none") if isinstance(value, tuple) else value


def _outside(value: Any, rule: Mapping[str, Any]) -> str | None:  # noqa: ANN401 - JSON
    """Say how a value breaks the few rules of JSON schema that engines use, None if it keeps them."""
    if "enum" in rule and value not in rule["enum"]:
        return f"must be {' or '.join(map(str, rule['enum']))}"
    if "const" in rule and value != rule["const"]:
        return f"must be {rule['const']}"
    if "minimum" in rule and value < rule["minimum"]:
        return f"must be at least {rule['minimum']}"
    if "maximum" in rule and value > rule["maximum"]:
        return f"must be at most {rule['maximum']}"
    if "exclusiveMinimum" in rule and value <= rule["exclusiveMinimum"]:
        return f"must be above {rule['exclusiveMinimum']}"
    return None
