"""What a program of the Vina family says of itself: version, options and scoring functions, and its identity."""

import re
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path

from molecular_analysis_dashboard.adapters.engines.program_run import file_hash, run_program
from molecular_analysis_dashboard.domain.docking import DockingProtocol, EngineBuild
from molecular_analysis_dashboard.domain.engine_commands import AD4
from molecular_analysis_dashboard.domain.errors import EngineFailed
from molecular_analysis_dashboard.domain.hashing import MAX_SEED, content_hash

_PROBE_S = 30.0
_BOX = tuple(f"{what}_{axis}" for what in ("center", "size") for axis in "xyz")
_NEEDED = ("receptor", "ligand", "out", "cpu", "seed", "exhaustiveness", "num_modes", *_BOX)
# Both names are in use: Vina 1.2 and Uni-Dock, then smina and gnina. QuickVina and Vina 1.1 have neither.
_MIN_RMSD = ("min_rmsd", "min_rmsd_filter")
# smina and gnina have both, and advise the first; Vina has the second.
_MINIMISE = ("minimize", "local_only")
_DEFAULTS = DockingProtocol()
# Runs are shortened by `--max_evals`, which only Vina 1.2 and Uni-Dock have.
_SHORTENED = {"type": "number", "exclusiveMinimum": 0, "maximum": 1, "default": 1}
_WHOLE = {"const": 1, "default": 1}
# smina and gnina list no names in their help; these two are built into both.
_UNLISTED_SCORING = ("vina", "vinardo")


@dataclass(frozen=True)
class VinaCommandLine:
    """A program of the Vina family as it describes itself."""

    name: str
    command: tuple[str, ...]
    version: str
    options: frozenset[str]
    scoring_functions: tuple[str, ...]
    reads_ad4_maps: bool = False

    @property
    def min_rmsd_option(self) -> str | None:
        """What it calls the least RMSD between poses."""
        return next((name for name in _MIN_RMSD if name in self.options), None)

    @property
    def minimise_option(self) -> str | None:
        """What it calls a local search alone, from where the ligand lies."""
        return next((name for name in _MINIMISE if name in self.options), None)

    @cached_property
    def build(self) -> EngineBuild:
        """Its identity: the variant is a hash of the program, of its fixed arguments and of the files they name."""
        digests = [file_hash(self.command[0]), *map(file_hash, self.command[1:])]
        variant = content_hash({"arguments": list(self.command[1:]), "files": digests})[:8]
        build_id = f"{self.name}-{self.version}-{variant}"
        return EngineBuild(self.name, self.version, build_id, self.scoring_functions, digests[0])

    @property
    def parameter_schema(self) -> Mapping[str, object]:
        """JSON schema of the protocol's fields that it reads."""
        fields: dict[str, object] = {
            "scoring": {"type": "string", "enum": list(self.scoring_functions), "default": self.scoring_functions[0]},
            "exhaustiveness": {"type": "integer", "minimum": 1, "maximum": 1024, "default": 8},
            "run_length": _SHORTENED if "max_evals" in self.options else _WHOLE,
            "max_rounds": {"type": "integer", "minimum": 1, "maximum": 64, "default": 1},
            "agreeing_rounds": {"type": "integer", "minimum": 0, "maximum": 64, "default": 0},
            "n_poses": {"type": "integer", "minimum": 1, "maximum": 100, "default": _DEFAULTS.n_poses},
            "energy_range_kcal_mol": _above_zero(_DEFAULTS.energy_range_kcal_mol),
            "seed": {"type": "integer", "minimum": 1, "maximum": MAX_SEED, "default": _DEFAULTS.seed},
        }
        if self.min_rmsd_option:
            fields["min_rmsd_angstrom"] = _above_zero(_DEFAULTS.min_rmsd_angstrom)
        return {"type": "object", "properties": fields}


def read_command_line(name: str, command: tuple[str, ...]) -> VinaCommandLine:
    """Ask a program for its version and its options.

    Raises
    ------
    EngineFailed
        With code ``engine_unusable``, if it cannot be run, says nothing, or does not speak Vina's command line.
    """
    program = shutil.which(command[0]) or command[0]
    command = (program, *command[1:])
    version, help_text = _ask(name, command, "--version"), _ask(name, command, "--help_advanced")
    if "--receptor" not in help_text or help_text.startswith("Command line parse error"):
        help_text = _ask(name, command, "--help")
    options = frozenset(re.findall(r"--([A-Za-z]\w*)", help_text))
    if missing := [f"--{option}" for option in _NEEDED if option not in options]:
        raise EngineFailed(
            f"{program} does not speak Vina's command line: its help names no {', '.join(missing)}.",
            code="engine_unusable",
            engine=name,
        )
    listed = _listed_scoring(help_text)
    return VinaCommandLine(
        name,
        command,
        version_in(version),
        options,
        scoring_functions_in(help_text),
        AD4 in listed and "maps" in options,
    )


def version_in(text: str) -> str:
    """Return the version that a program tells, of its own and not of what it is based on; ``0`` if it tells none.

    smina tells only its day: 15 October 2019 is 2019.10.15.
    """
    own = re.split(r"based on", text, flags=re.IGNORECASE)[0]
    if number := re.search(r"\d+(?:\.\d+)+", own):
        return number[0]
    if day := re.search(r"([A-Z][a-z]{2})\s+(\d{1,2}),?\s+(\d{4})", own):
        try:
            return f"{datetime.strptime(' '.join(day.groups()), '%b %d %Y'):%Y.%m.%d}"
        except ValueError:
            return "0"
    return "0"


def scoring_functions_in(help_text: str) -> tuple[str, ...]:
    """Return the scoring functions that a help text offers, the default first.

    AutoDock 4's is left out: it needs maps from AutoGrid.
    """
    listed = [name for name in _listed_scoring(help_text) if not name.startswith(AD4)]
    return tuple(sorted(listed, key=lambda one: one != "vina"))


def _listed_scoring(help_text: str) -> list[str]:
    described = re.search(r"--scoring\b(?P<text>.*?)(?=\n\s*(?:-\w \[ )?--|\n\s*\n|\Z)", help_text, re.DOTALL)
    if described is None:
        return ["vina"]
    lists = re.findall(r"\(([a-z0-9_]+(?:\s*(?:,|\bor\b)\s*[a-z0-9_]+)+)\)", described["text"])
    return re.findall(r"\b(?!or\b)[a-z0-9_]+", lists[0]) if lists else list(_UNLISTED_SCORING)


def _ask(name: str, command: tuple[str, ...], option: str) -> str:
    with tempfile.TemporaryDirectory(prefix="mad-engine-") as folder:
        ended = run_program([*command, option], Path(folder), timeout_s=_PROBE_S)
    if ended.status < 0:
        raise EngineFailed(
            f"{ended.told(command[0])} It may be built for another processor.", code="engine_unusable", engine=name
        )
    if not ended.words.strip():
        raise EngineFailed(
            f"{command[0]} {option} prints nothing (status {ended.status}). Is it a program of the Vina family?",
            code="engine_unusable",
            engine=name,
        )
    return ended.words


def _above_zero(default: float) -> dict[str, object]:
    return {"type": "number", "exclusiveMinimum": 0, "default": default}
