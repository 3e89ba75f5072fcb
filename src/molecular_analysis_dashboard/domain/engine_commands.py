"""Programs that an installation's docking engines are, or need, as its settings write them."""

import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

# Part of queue names and build ids, where a digit after a hyphen begins the version.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# Names of engines that every release carries.
_BUNDLED = frozenset({"vina"})

# AutoDock 4's scoring function, for which AutoGrid computes the maps.
AD4 = "ad4"
# Looked for on PATH; the other word is for who does not want it found.
DEFAULT_AUTOGRID, NO_AUTOGRID = "autogrid4", "off"

EngineCommands = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class DockingPrograms:
    """Programs besides the installed engines.

    Parameters
    ----------
    engines : mapping
        Programs of the Vina family that are engines too, by name.
    autogrid : str
        The program that computes AutoDock 4's maps; empty where it shall not be looked for.
    """

    engines: EngineCommands = field(default_factory=dict)
    autogrid: str = ""


def preferred_scoring(offered: Iterable[str]) -> str | None:
    """Return an engine's default: the first function that it offers, but `ad4`, which needs maps of AutoGrid, last."""
    return next(iter(sorted(offered, key=lambda scoring: scoring == AD4)), None)


def scoring_refusal(engine: str, scoring: str, offered: Sequence[str]) -> str:
    """Return what to tell about a scoring function that an engine does not offer."""
    told = f"{engine} has no scoring function {scoring}. Choose {' or '.join(offered)}."
    if scoring == AD4:
        told += (
            " For ad4, install AutoGrid where a worker runs and restart it; engines must read its maps, as vina does."
        )
    return told


def parse_engine_commands(text: str) -> dict[str, tuple[str, ...]]:
    """Return program and arguments by engine name, from entries ``name=program arguments`` separated by ``;``.

    Programs and arguments with spaces are quoted as in a shell.

    Raises
    ------
    ValueError
        If an entry cannot be read; the message says which and why.
    """
    commands: dict[str, tuple[str, ...]] = {}
    for entry in filter(str.strip, text.split(";")):
        name, equals, command = entry.strip().partition("=")
        if not equals or not command.strip():
            raise ValueError(f"“{entry.strip()}” must be name=program, several separated by ;")
        if not _NAME.fullmatch(name):
            raise ValueError(f"the name “{name}” must be lower-case letters, digits and _, a letter first")
        if name in _BUNDLED or name in commands:
            raise ValueError(f"the name {name} is taken; choose another one for {command.strip()}")
        try:
            commands[name] = tuple(shlex.split(command))
        except ValueError as cause:
            raise ValueError(f"the command of {name} cannot be read: {cause}") from cause
    return commands
