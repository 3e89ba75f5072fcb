"""Programs that speak Vina's command line: a real one over the bindings, and shell scripts that do what a test asks."""

import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.vina_program import HELP

REAL = (sys.executable, str(Path(__file__).with_name("vina_program.py")))
# A pose where the ligand was handed over.
WRITE_POSE = (
    '{ echo "MODEL 1"; echo "REMARK VINA RESULT:  -5.25  0.0  0.0"; cat ligand.pdbqt; echo ENDMDL; } > poses.pdbqt'
)
# A receptor that leaves room in the middle: a small lattice of carbon atoms.
RECEPTOR = "".join(
    f"ATOM  {n:5d}  C   GLY A{n:4d}    {x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00    +0.000 C \n"
    for n, (x, y, z) in enumerate(((x, y, z) for x in (-6, 0, 6) for y in (-6, 0, 6) for z in (-6, 0, 6)), start=1)
)


@dataclass
class Script:
    """What a program of the family does, as shell commands; it answers as a well-behaved one where nothing is said."""

    dock: str = WRITE_POSE
    score_only: str = 'echo "Affinity: -1.5 (kcal/mol)"'
    local_only: str = 'cp ligand.pdbqt poses.pdbqt; echo "Affinity: -1.75 (kcal/mol)"'
    version: str = 'echo "AutoDock Vina v1.2.3"'
    help: str = f"echo {shlex.quote(HELP)}"

    def write(self, path: Path) -> str:
        """Write it as an executable program; return its path."""
        path.write_text(
            "#!/bin/sh\n"
            'case "$*" in\n'
            f"  *--version*) {self.version} ;;\n"
            f"  *--help*) {self.help} ;;\n"
            f"  *--score_only*) {self.score_only} ;;\n"
            f"  *--local_only*) {self.local_only} ;;\n"
            f"  *) {self.dock} ;;\n"
            "esac\n"
        )
        path.chmod(0o755)
        return str(path)


def without(*options: str, help_text: str = HELP) -> str:
    """Return the shell command that prints a help text without some options."""
    lines = [line for line in help_text.splitlines() if not line.strip().startswith(tuple(f"--{o}" for o in options))]
    return f"echo {shlex.quote(chr(10).join(lines))}"
