"""Programs of the Vina family that an installation offers as docking engines, as its settings write them."""

import re
import shlex
from collections.abc import Mapping

# Part of queue names and build ids, where a digit after a hyphen begins the version.
_NAME = re.compile(r"[a-z][a-z0-9_]{0,31}")
# Names of engines that every release carries.
_BUNDLED = frozenset({"vina"})

EngineCommands = Mapping[str, tuple[str, ...]]


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
