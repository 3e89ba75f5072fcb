"""A small complex to upload: part of a real receptor with a real ligand at its docked place."""

from functools import cache
from importlib.util import find_spec
from pathlib import Path

from rdkit import Chem


def _data() -> Path:
    """Find ProLIF's data without importing it."""
    spec = find_spec("prolif")
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent / "data" / "vina"


@cache
def ligand_block() -> str:
    """The first docked pose of ProLIF's example, as a mol block."""
    mol = next(iter(Chem.SDMolSupplier(str(_data() / "vina_output.sdf"))))
    return str(Chem.MolToMolBlock(mol))


@cache
def complex_pdb() -> bytes:
    """Residues 39 to 200 of the 5-HT1B receptor (PDB 4IAQ, chain A) and that ligand as group ``LIG:L:1``."""
    lines = (_data() / "rec.pdb").read_text().splitlines()
    protein = [line for line in lines if line.startswith("ATOM") and line[21] == "A" and 39 <= int(line[22:26]) <= 200]
    mol = Chem.MolFromMolBlock(ligand_block())
    positions = mol.GetConformer().GetPositions().tolist()
    ligand = [
        f"HETATM{9000 + number:5d}  {atom.GetSymbol()}{number:<2d} LIG L   1    {x:8.3f}{y:8.3f}{z:8.3f}"
        f"  1.00  0.00          {atom.GetSymbol():>2s}"
        for number, (atom, (x, y, z)) in enumerate(zip(mol.GetAtoms(), positions, strict=True), 1)
    ]
    return "\n".join([*protein, "TER", *ligand, "END", ""]).encode()
