from importlib.util import find_spec
from pathlib import Path

import pytest


def prolif_data() -> Path:
    """Find ProLIF's data without importing it."""
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data"


@pytest.fixture(scope="session")
def protein_pdb() -> bytes:
    """Chain A of the 5-HT1B receptor (PDB 4IAQ) as ProLIF ships it, with the force field's names and hydrogens."""
    lines = (prolif_data() / "vina" / "rec.pdb").read_text().splitlines()
    kept = [line for line in lines if line.startswith("ATOM") and line[21] == "A" and 39 <= int(line[22:26]) <= 75]
    return "\n".join([*kept, "TER", "END", ""]).encode()
