"""Programs in AutoGrid's place: one that computes maps, and shell scripts that do what a test asks."""

import shlex
import sys
from pathlib import Path

WHOLE = f'exec {shlex.quote(sys.executable)} {shlex.quote(str(Path(__file__).with_name("autogrid_program.py")))} "$@"'


def write_autogrid(path: Path, run: str = WHOLE, version: str = "echo 'AutoGrid 4.2.6'") -> str:
    """Write an executable program that tells its version and computes maps as told; return its path."""
    path.write_text(f'#!/bin/sh\ncase "$*" in *--version*) {version}; exit ;; esac\n{run}\n')
    path.chmod(0o755)
    return str(path)
